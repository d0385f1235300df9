import type { InstanceState } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { StepKind } from "./dependencies/dependency.ts";
import type { Entry } from "./entry.ts";
import { byKey, compareText } from "./order.ts";
import { Step } from "./step.ts";
import { layers } from "./topological-order.ts";

/** The steps of a flush with what comes before what. */
export class StepGraph {
  readonly #wholes: Step[] = [];
  readonly #bySubject = new Map<Mapper | RelationshipProperty, { [kind in StepKind]?: Step }>();
  readonly #rows = new Map<Step, Map<InstanceState, Step>>();
  /** From a step to those that must come after it. */
  readonly edges = new Map<Step, Set<Step>>();

  /** The steps of whole hierarchies and relationships. */
  get wholes(): Iterable<Step> {
    return this.#wholes;
  }

  /** The step of a hierarchy or a relationship, made when it is first asked for. */
  step(kind: StepKind, subject: Mapper | RelationshipProperty): Step {
    const step = this.#bySubject.get(subject)?.[kind];
    return step ?? this.keep(new Step(kind, subject, []));
  }

  /** Takes a step in as it is. */
  keep(step: Step): Step {
    let steps = this.#bySubject.get(step.subject);
    if (steps === undefined) this.#bySubject.set(step.subject, (steps = {}));
    steps[step.kind] = step;
    this.#wholes.push(step);
    return step;
  }

  /** The part of a step that is about one row. */
  row(whole: Step, entry: Entry): Step {
    let rows = this.#rows.get(whole);
    if (rows === undefined) this.#rows.set(whole, (rows = new Map()));
    let row = rows.get(entry.state);
    if (row === undefined) rows.set(entry.state, (row = new Step(whole.kind, whole.subject, [entry], true)));
    return row;
  }

  connect(before: Step, after: Step): void {
    // That rows of one hierarchy come before others of it says that they have to be taken apart; elsewhere it says nothing.
    if (before === after && before.kind !== "save" && before.kind !== "delete") return;
    const targets = this.edges.get(before);
    if (targets === undefined) this.edges.set(before, new Set([after]));
    else targets.add(after);
  }

  /** Puts each of some steps before each of others, which may be many: by way of one that does nothing. */
  connectAll(befores: readonly Step[], afters: readonly Step[]): void {
    const [first] = befores;
    if (first === undefined) return;
    const between = new Step(first.kind, first.subject, []);
    for (const before of befores) this.connect(before, between);
    for (const after of afters) this.connect(between, after);
  }

  /** Whether one step must come before another, by way of whatever others. */
  leads(before: Step, after: Step): boolean {
    const seen = new Set<Step>();
    const reach = (step: Step): boolean => {
      if (step === after) return true;
      if (seen.has(step)) return false;
      seen.add(step);
      for (const next of this.edges.get(step) ?? []) if (reach(next)) return true;
      return false;
    };
    return reach(before);
  }

  /** The steps in layers: each step comes in a later layer than those before it. */
  layers(): Iterable<Step[]> {
    const steps = [...this.#wholes];
    for (const rows of this.#rows.values()) for (const row of rows.values()) steps.push(row);
    return layers(steps.sort(bySortKey), this.edges);
  }
}

/** Steps that have nothing to do with each other stand in an order all the same, so that every run is the same. */
function bySortKey(left: Step, right: Step): number {
  const order = compareText(left.sortKey, right.sortKey);
  return order !== 0 ? order : byEntries(left, right);
}

function byEntries(left: Step, right: Step): number {
  const [one] = left.entries;
  const [other] = right.entries;
  if (one === undefined || other === undefined || one.state.key === undefined || other.state.key === undefined)
    return 0;
  return byKey(one.state, other.state);
}

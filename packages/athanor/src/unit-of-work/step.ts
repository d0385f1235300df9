import { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { StepKind } from "./dependencies/dependency.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { deleteOrder, saveOrder } from "./order.ts";
import { writeDeletes } from "./write-deletes.ts";
import { writePostUpdates } from "./write-post-updates.ts";
import { writeSaves } from "./write-saves.ts";

/** One step of a flush: the saves or deletes of a hierarchy, or what a relationship writes between them. */
export class Step {
  readonly kind: StepKind;
  readonly subject: Mapper | RelationshipProperty;
  readonly entries: Entry[];
  /** It stands for a single row of a hierarchy that was taken apart. */
  readonly isRow: boolean;

  constructor(kind: StepKind, subject: Mapper | RelationshipProperty, entries: Entry[], isRow = false) {
    this.kind = kind;
    this.subject = subject;
    this.entries = entries;
    this.isRow = isRow;
  }

  static keyOf(kind: StepKind, subject: Mapper | RelationshipProperty): string {
    return `${kind} ${subject instanceof Mapper ? `${subject.class.name} ${subject.table.fullName}` : `${subject.label} ${subject.parent.table.fullName}`}`;
  }

  /** Steps that have nothing to do with each other go by this: every run is the same. */
  get sortKey(): string {
    return `${sortNames[this.kind]} ${this.subject instanceof Mapper ? this.subject.class.name : this.subject.label}`;
  }

  async run(plan: FlushPlan): Promise<void> {
    if (this.entries.length === 0 && this.kind !== "postUpdate" && this.kind !== "preUpdate") return;
    if (this.subject instanceof Mapper) return this.#runRows(plan, this.subject);
    const dependency = dependencyOf(this.subject);
    const entries = this.#present();
    await (this.kind === "afterSave" ? dependency.afterSave(plan, entries) : dependency.beforeDelete(plan, entries));
  }

  /** A row that was taken over since the steps were arranged is a new instance's now. */
  #present(): readonly Entry[] {
    return this.entries.some(({ isTakenOver }) => isTakenOver)
      ? this.entries.filter(({ isTakenOver }) => !isTakenOver)
      : this.entries;
  }

  async #runRows(plan: FlushPlan, mapper: Mapper): Promise<void> {
    if (this.kind === "save") await writeSaves(saveOrder(this.entries), plan);
    else if (this.kind === "delete") await writeDeletes(deleteOrder(this.#present()), plan.work);
    else await writePostUpdates(plan, mapper, this.kind === "preUpdate");
  }
}

const sortNames: Record<StepKind, string> = {
  delete: "1",
  preUpdate: "2",
  postUpdate: "2",
  beforeDelete: "3",
  afterSave: "3",
  save: "4",
};

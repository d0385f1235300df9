import {
  type AnyModel,
  attributes,
  getHistory,
  inspect,
  type Instance,
  type Listening,
  load,
  type Session,
  type SessionMaker,
  sql,
  withLoaderCriteria,
} from "../../src/index.ts";
import type { Labels } from "./labels.ts";
import { Address, Node, Post, Tag, User } from "./models.ts";
import { listenTo, namesOf, type Recorder, rowEvents } from "./recorder.ts";

/** What listeners throw that refuse something. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** What a hook works with. */
interface Stage {
  readonly sessions: SessionMaker;
  readonly recorder: Recorder;
  readonly labels: Labels;
}

/** Adds the listeners that a program wants beside the recorder's. Their ends are what it answers. */
export function addHooks(names: readonly string[], sessions: SessionMaker, recorder: Recorder): Listening[] {
  const stage = { sessions, recorder, labels: recorder.labels };
  return names.flatMap((name) => {
    const [verb, event, turn] = name.split(" ");
    if (verb === "fail") return failingHook(stage, String(event), Number(turn));
    const hook = hooks[name];
    if (hook === undefined) throw new Error(`There is no hook called "${name}".`);
    return hook(stage);
  });
}

const hooks: Readonly<Record<string, (stage: Stage) => Listening[]>> = {
  stampBeforeFlush: ({ sessions, labels }) => [
    listenTo(sessions, "beforeFlush", ({ session }) => {
      const users = [...session.new, ...session.dirty].filter((instance) => instance instanceof User);
      for (const user of inLabelOrder(labels, users)) user.email = "stamped";
    }),
  ],

  auditBeforeFlush: ({ sessions, labels }) => {
    let count = 0;
    return [
      listenTo(sessions, "beforeFlush", ({ session }) => {
        const verbs = { delete: session.deleted, insert: session.new, update: session.dirty };
        for (const [verb, instances] of Object.entries(verbs)) {
          const audited = [...instances].filter((instance) => !(instance instanceof Tag));
          for (const { constructor } of inLabelOrder(labels, audited)) {
            const label = `${verb} ${constructor.name}`;
            session.add(labels.construct(`audit${++count}`, () => new Tag({ label })));
          }
        }
      }),
    ];
  },

  slugBeforeInsert: () => [
    listenTo(Post, "beforeInsert", ({ target }) => {
      target.title = (target.title ?? "untitled").toLowerCase().replaceAll(" ", "-");
    }),
  ],

  archiveBeforeDelete: () => [
    listenTo(User, "beforeDelete", async ({ target, connection }) => {
      const name = String(await load(target as User, "name"));
      await connection.execute(sql`INSERT INTO tags (label) VALUES (${`gone ${name}`})`);
    }),
  ],

  historyAfterUpdate: ({ recorder }) => [
    listenTo(User, "afterUpdate", ({ target }) => {
      for (const key of ["name", "email", "age"]) {
        const history = getHistory(target, key);
        if (history.hasChanges()) recorder.record("history", target, key, history.added, history.deleted);
      }
    }),
  ],

  upperOnSet: () => [
    listenTo(
      attributes(User).email,
      "set",
      ({ value }: { value: unknown }) => (typeof value === "string" ? value.toUpperCase() : value),
      { retval: true },
    ),
  ],

  rejectOnSet: () => [
    listenTo(attributes(User).email, "set", ({ value }) => {
      if (value === "bad") throw new Refused("No such address.");
    }),
  ],

  touchAfterPostexec: ({ sessions, labels }) => {
    const touched = new Set<Instance>();
    return [
      listenTo(sessions, "afterFlushPostexec", ({ session }: { session: Session }) => {
        const nodes = [...session.identityMap].filter((instance) => instance instanceof Node);
        for (const node of inLabelOrder(labels, nodes)) {
          const name = loadedValue(node, "name");
          if (touched.has(node) || typeof name !== "string" || name.endsWith("!")) continue;
          touched.add(node);
          node.name = `${name}!`;
          return;
        }
      }),
    ];
  },

  hidePosts: ({ sessions }) => [
    listenTo(sessions, "doOrmExecute", (event) => {
      if (!event.isSelect || event.isColumnLoad || event.isRelationshipLoad) return;
      event.statement = event.statement.options(withLoaderCriteria(Post, (post) => post.title.ne("hidden")));
    }),
  ],

  refuseInsert: () => [
    listenTo(Tag, "beforeInsert", ({ target }) => {
      if (target.label === "refused") throw new Refused("No such tag.");
    }),
  ],

  refuseAfterFlush: ({ sessions }) => [
    listenTo(sessions, "afterFlush", ({ session }) => {
      if (hasTag(session.new, "late")) throw new Refused("Too late.");
    }),
  ],

  refuseCommit: ({ sessions }) =>
    namesOf("before_commit").map((name) =>
      listenTo(sessions, name, ({ session }) => {
        if (hasTag([...session.new, ...session.identityMap], "uncommittable")) throw new Refused("No commit.");
      }),
    ),
};

/** Throws once, when the event happens for that time, wherever. */
function failingHook({ sessions }: Stage, spelling: string, turn: number): Listening[] {
  let count = 0;
  const fail = (): void => {
    if (++count === turn) throw new Refused(`${spelling}, time ${turn}`);
  };
  return failingTargets(sessions, spelling).flatMap((target) =>
    namesOf(spelling).map((name) => listenTo(target, name, fail)),
  );
}

function failingTargets(sessions: SessionMaker, spelling: string): unknown[] {
  if (spelling === "append" || spelling === "remove") return [attributes(User).addresses];
  if (spelling === "set") return [attributes(User).email];
  const models: AnyModel[] = [User, Address, Tag];
  return spelling === "init" || rowEvents.some((name) => name === spelling) ? models : [sessions];
}

function hasTag(instances: Iterable<Instance>, label: string): boolean {
  return [...instances].some((instance) => instance instanceof Tag && loadedValue(instance, "label") === label);
}

function loadedValue(instance: Instance, key: string): unknown {
  return (inspect(instance).attributes as Record<string, { readonly loadedValue: unknown }>)[key]?.loadedValue;
}

function inLabelOrder<T extends Instance>(labels: Labels, instances: readonly T[]): T[] {
  return instances
    .map((instance) => ({ instance, label: labels.of(instance) }))
    .sort((left, right) => (left.label < right.label ? -1 : left.label > right.label ? 1 : 0))
    .map(({ instance }) => instance);
}

import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import type { ClassDispatch } from "../instance/instrumentation.ts";
import { knownMapper, type Mapper } from "../mapping/mapper.ts";
import type { BulkParts, BulkStatement } from "../sql/bulk-statement.ts";
import { Insert } from "../sql/insert.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Update } from "../sql/update.ts";
import type { MapperFlushEvents } from "../unit-of-work/mapper-flush-events.ts";
import type { SessionState } from "./session-state.ts";

type RowEvent = keyof MapperFlushEvents<unknown>;

/** What a kind of bulk statement does to a row, and how else one hears of it. */
interface Kind {
  readonly call: string;
  readonly does: string;
  readonly events: readonly RowEvent[];
  readonly remedy: string;
}

const insertKind: Kind = {
  call: "insert",
  does: "inserts",
  events: ["beforeInsert", "afterInsert"],
  remedy: "a listener of the session's doOrmExecute, where they are event.parameters; or add instances, and flush",
};

const updateKind: Kind = {
  call: "update",
  does: "updates",
  events: ["beforeUpdate", "afterUpdate"],
  remedy:
    'a listener of the session\'s afterBulkUpdate, which gets them with the execution option rows: "before" or "after"; or load the instances, change them, and flush',
};

const deleteKind: Kind = {
  call: "deleteFrom",
  does: "deletes",
  events: ["beforeDelete", "afterDelete"],
  remedy:
    'a listener of the session\'s afterBulkDelete, which gets them with the execution option rows: "before"; or load the instances, delete each with session.delete(), and flush',
};

/**
 * Says so, or refuses, as the option `onSkippedEvents` wants it, where a statement writes rows past the listeners that a flush would have called for them.
 *
 * @throws InvalidRequestError where the option is "error".
 */
export function tellOfSkippedEvents(
  core: SessionState,
  statement: BulkStatement<unknown, BulkParts, unknown>,
  options: ExecutionOptions,
): void {
  const policy = options.onSkippedEvents ?? statement.parts.executionOptions.onSkippedEvents ?? core.onSkippedEvents;
  if (policy === "ignore") return;
  if (policy !== "warn" && policy !== "error") {
    throw new ArgumentError(
      `onSkippedEvents is "ignore", "warn" or "error", and was ${JSON.stringify(policy)}. ` +
        `It says what happens where a bulk statement writes rows of a class whose row events someone listens to.`,
    );
  }
  const kind = statement instanceof Insert ? insertKind : statement instanceof Update ? updateKind : deleteKind;
  const { mapper } = statement;
  const events =
    statement instanceof Insert && statement.parts.conflict?.values !== undefined
      ? [...insertKind.events, ...updateKind.events]
      : kind.events;
  const skipped = skippedEvents(kind === insertKind ? [mapper] : [mapper, ...subclassesOf(mapper)], events);
  if (skipped.length === 0) return;
  const name = `${kind.call}(${mapper.class.name})`;
  const message =
    `${name} ${kind.does} rows without making instances of them, so what listens to ${skipped.join(" and to ")} is not called. ` +
    `Do for these rows what it does in ${kind.remedy}. Where it is not missed, give the session, or this execution, onSkippedEvents: "ignore".`;
  if (policy === "error") throw new InvalidRequestError(message);
  core.warnOnce(`${kind.call} ${mapper.serial}`, message);
}

/** The events that someone listens to, with the classes: of a subclass only those that are not heard on its parent already. */
function skippedEvents(mappers: readonly Mapper[], events: readonly RowEvent[]): readonly string[] {
  return mappers.flatMap((mapper) => {
    const { dispatch } = mapper.instrumentation;
    const parent = mapper === mappers[0] ? undefined : mapper.inherits?.instrumentation.dispatch;
    const heard = events.filter((event) => isHeardHere(dispatch, parent, event));
    return heard.length === 0 ? [] : [`${heard.join(" and ")} of ${mapper.class.name}`];
  });
}

function isHeardHere(dispatch: ClassDispatch, parent: ClassDispatch | undefined, event: RowEvent): boolean {
  return dispatch[event]?.some((registration) => parent?.[event]?.includes(registration) !== true) === true;
}

/** The classes below one whose rows are its rows too, as far as they are known. */
function subclassesOf(mapper: Mapper): readonly Mapper[] {
  return [...mapper.declaration.identities.values()].flatMap(({ mappedClass }) => {
    const known = mappedClass === undefined ? undefined : knownMapper(mappedClass);
    return known !== undefined && known !== mapper && known.isA(mapper) ? [known] : [];
  });
}

import type { MaybePromise } from "../engine/maybe-promise.ts";
import { ArgumentError } from "../event/errors.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { entityLoader } from "../loading/row-loader.ts";
import { type ColumnType, describeAccepted, isAccepted } from "../mapping/column-type.ts";
import { identityKey } from "../mapping/identity.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { Column } from "../mapping/column.ts";
import type { AnyModel, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import { selectAllByKeyText } from "../sql/compile.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { selectByKey } from "../sql/select-by-key.ts";
import { rowIsGone } from "./attachment.ts";
import { ObjectDeletedError } from "./errors.ts";
import { execute, mustAutoflush } from "./execute.ts";
import { flushSession } from "./flush-session.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import type { SessionState } from "./session-state.ts";
import { criteriaOfListeners, isHidden } from "./strict-criteria.ts";

type KeyValue = string | number | bigint | Date | Uint8Array | boolean;

/** The names of the properties that were declared with `primaryKey()`. */
type KeyNames<TProperties> = {
  [K in keyof TProperties]: TProperties[K] extends Column<any, any, true> ? K : never;
}[keyof TProperties];

/** Whether there are several names. */
type IsSeveral<TNames, TOther = TNames> = TNames extends unknown ? ([TOther] extends [TNames] ? false : true) : never;

/** What a key of these declared properties is; of a class that is not known, any key. */
export type KeyOf<TProperties, TNames extends keyof TProperties = KeyNames<TProperties>> = [TNames] extends [never]
  ? KeyValue | readonly KeyValue[] | Readonly<Record<string, KeyValue>>
  :
      | (true extends IsSeveral<TNames> ? never : ValueOf<TProperties[TNames]>)
      | readonly ValueOf<TProperties[TNames]>[]
      | { readonly [K in TNames]: ValueOf<TProperties[K]> };

/** A primary key: its value, or for several columns an array in their order, or an object by attribute. */
export type PrimaryKey<TModel extends AnyModel> = KeyOf<PropertiesOf<TModel>>;

/** The instance with that key: the one that the session has, else from the database. */
export function getInstance(
  core: SessionState,
  mapper: Mapper,
  given: unknown,
  options: ExecutionOptions = {},
): MaybePromise<Instance | null> {
  const key = keyValues(mapper, given);
  if (options.populateExisting !== true) {
    const existing = core.identityMap.of(mapper).get(identityKey(mapper, key));
    if (existing !== undefined)
      return core.isStrict
        ? knownAndVisible(core, mapper, stateOf(existing), options)
        : known(core, mapper, stateOf(existing), options);
  }
  return instanceFromDatabase(core, mapper, key, options);
}

/** The instance with that key, by its row. */
export function instanceFromDatabase(
  core: SessionState,
  mapper: Mapper,
  key: readonly unknown[],
  options: ExecutionOptions = {},
): MaybePromise<Instance | null> {
  if (
    core.dispatch.doOrmExecute !== undefined ||
    options.populateExisting === true ||
    mapper.loadsAlong ||
    mapper.columns.deferred.length > 0
  )
    return select(core, mapper, key, options);
  if (mustAutoflush(core)) return flushSession(core).then(() => selectDirectly(core, mapper, key));
  return selectDirectly(core, mapper, key);
}

async function select(
  core: SessionState,
  mapper: Mapper,
  key: readonly unknown[],
  options: ExecutionOptions,
): Promise<Instance | null> {
  const result = await execute(core, { statement: selectByKey(mapper, key), parameters: undefined, options });
  return result.scalar() as Instance | null;
}

/** What the general way would run, without making a statement: `get` is what is called most. */
function selectDirectly(core: SessionState, mapper: Mapper, key: readonly unknown[]): MaybePromise<Instance | null> {
  const { dialect } = core.engine;
  const text = selectAllByKeyText(mapper, dialect);
  const parameters = mapper.primaryKey.map(({ source }, index) => {
    const { toDriver } = dialect.codec(source.column.type);
    return toDriver === undefined ? key[index] : toDriver(key[index]);
  });
  const loaded = (rows: unknown[][]): Instance | null =>
    entityLoader(mapper.columns, dialect)(rows, core.loadContext())[0] ?? null;
  const connection = core.autobegin().connect();
  if (connection instanceof Promise)
    return connection.then(async (opened) => loaded((await opened.run(text, parameters)).rows));
  const result = connection.run(text, parameters);
  return result instanceof Promise ? result.then(({ rows }) => loaded(rows)) : loaded(result.rows);
}

/** An instance that is there already; an expired one is asked of the database, which may not have it any more. */
async function refreshed(core: SessionState, state: InstanceState): Promise<Instance | null> {
  try {
    await loadColumns(core, state, unloadedColumns(state));
    return state.instance;
  } catch (error) {
    if (!(error instanceof ObjectDeletedError)) throw error;
    if (!error.isHidden) rowIsGone(core, state);
    return null;
  }
}

/** An instance that the session has. Where its row is gone, another one may have its key. */
function known(
  core: SessionState,
  mapper: Mapper,
  state: InstanceState,
  options: ExecutionOptions,
): MaybePromise<Instance | null> {
  if (!mapperOfState(state).isA(mapper)) return null;
  if (!state.isExpired) return state.instance;
  const found = refreshed(core, state);
  return found.then((instance) => instance ?? instanceFromDatabase(core, mapper, state.identityValues, options));
}

/** The same of a strict session: as if it did not have the instance, and listeners' criteria decided whether the row is found. */
async function knownAndVisible(
  core: SessionState,
  mapper: Mapper,
  state: InstanceState,
  options: ExecutionOptions,
): Promise<Instance | null> {
  // An expired one is asked of the database anyway, under the same criteria.
  if (state.isExpired) return known(core, mapper, state, options);
  const criteria = await criteriaOfListeners(core, mapper, options);
  return (await isHidden(core, state, criteria)) ? null : known(core, mapper, state, options);
}

/** The values of a key in the order of its columns. Throws ArgumentError for a key of the wrong shape or type. */
function keyValues(mapper: Mapper, given: unknown): readonly unknown[] {
  const { primaryKey } = mapper;
  const name = mapper.class.name;
  let values: readonly unknown[];
  if (Array.isArray(given)) values = given;
  else if (typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype) {
    values = primaryKey.map(({ key }) => (given as Record<string, unknown>)[key]);
  } else values = [given];
  if (values.length !== primaryKey.length) {
    throw new ArgumentError(
      `The key of ${name} has ${primaryKey.length === 1 ? "one part" : `${primaryKey.length} parts`} (${primaryKey.map(({ key }) => key).join(", ")}), and ${values.length} were given.`,
    );
  }
  primaryKey.forEach(({ key, column }, index) => {
    const value = values[index];
    const { type } = column.options;
    if (value != null && isAccepted(type, value)) return;
    throw new ArgumentError(
      `${name}.${key} is ${describeAccepted(type)}, and a key with ${describeKeyPart(value)} was asked for. ${keyRemedy(type, value)}`,
    );
  });
  return values;
}

function describeKeyPart(value: unknown): string {
  if (value == null || Number.isNaN(value)) return String(value);
  return typeof value === "number" ? "a number that is none" : `a ${typeof value}`;
}

function keyRemedy({ kind }: ColumnType, value: unknown): string {
  if (value == null) return "No row has such a key: check for a missing value before.";
  if (Number.isNaN(value)) return "It was probably made from text that is no number: check that before.";
  const isNumeric = typeof value === "number" || typeof value === "string";
  if (kind === "bigint" && isNumeric) return "Convert it first: BigInt(id).";
  if (kind === "integer" && (typeof value === "bigint" || typeof value === "string"))
    return "Convert it first: Number(id).";
  return "Check where it comes from.";
}

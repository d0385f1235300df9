import type { Codec, Dialect } from "../engine/dialect.ts";
import { emit } from "../event/dispatch.ts";
import type { Registration } from "../event/event-node.ts";
import { generate, isCodeGenerationAllowed } from "../instance/generated-code.ts";
import { type Instance, instanceFromRow, stateOf } from "../instance/instance.ts";
import type { InstanceState, StateOwner } from "../instance/instance-state.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import { identityKey, takeIdentity } from "../mapping/identity.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { IdentityMap } from "./identity-map.ts";

/** What loading needs of its session. */
export interface LoadContext {
  readonly identityMap: IdentityMap;
  readonly owner: StateOwner;
  /** The session itself, for events. */
  readonly session: object;
  /** Listeners of the session's loadedAsPersistent. */
  readonly loadedAsPersistent: readonly Registration[] | undefined;
  /** Overwrites what is in memory, changes too. */
  readonly populateExisting: boolean;
  /** The instance that asks for its own row: it takes the row up, also where the session has another one of the same key by now. */
  readonly asking?: InstanceState | undefined;
  /** Names that were asked for, where not the whole instance was: `refresh` gets them. */
  readonly onlyKeys?: readonly string[] | undefined;
  /** Whether a value is to stay that populateExisting would overwrite. Undefined: none is. */
  readonly keeps?: ((state: InstanceState, slot: number) => boolean) | undefined;
}

/** Turns rows with the same columns into instances, each row's own or the one that the session has already. */
export type RowLoader = (rows: readonly unknown[][], context: LoadContext) => Instance[];

const loaders = new WeakMap<Dialect, WeakMap<EntityColumns, RowLoader>>();

/** The loader for rows that hold all that is read of a class. */
export function entityLoader(columns: EntityColumns, dialect: Dialect): RowLoader {
  let byColumns = loaders.get(dialect);
  if (byColumns === undefined) loaders.set(dialect, (byColumns = new WeakMap()));
  let loader = byColumns.get(columns);
  if (loader === undefined) byColumns.set(columns, (loader = makeRowLoader(columns, columns.properties, dialect)));
  return loader;
}

const columnLoaders = new WeakMap<Dialect, WeakMap<Mapper, Map<string, RowLoader>>>();

/** Programs load few sets of columns, over and over; one that loads ever other ones is not to fill the memory. */
const MAX_COLUMN_LOADERS = 100;

/** The loader for rows that hold these columns, among them the key. */
export function columnLoader(mapper: Mapper, properties: readonly ColumnProperty[], dialect: Dialect): RowLoader {
  let byMapper = columnLoaders.get(dialect);
  if (byMapper === undefined) columnLoaders.set(dialect, (byMapper = new WeakMap()));
  let byColumns = byMapper.get(mapper);
  if (byColumns === undefined) byMapper.set(mapper, (byColumns = new Map()));
  const columns = properties.map(({ slot }) => slot).join();
  let loader = byColumns.get(columns);
  if (loader === undefined) {
    if (byColumns.size === MAX_COLUMN_LOADERS) byColumns.clear();
    byColumns.set(columns, (loader = makeRowLoader(mapper.ownColumns, properties, dialect)));
  }
  return loader;
}

function makeRowLoader(columns: EntityColumns, properties: readonly ColumnProperty[], dialect: Dialect): RowLoader {
  const reader = rowReader(columns, properties, dialect);
  const { discriminate } = reader;
  if (discriminate === undefined) return simpleLoader(columns.mapper, reader);
  // Rows of a hierarchy: each says which class it is of.
  return (rows, context) => rows.map((row) => loadRow(discriminate(row), reader, row, context));
}

/** A column of the rows that an attribute of a class is read from. */
export interface RowColumn {
  readonly key: string;
  readonly slot: number;
  /** Where it stands in the row. */
  readonly index: number;
}

/** How the columns of a row become values: in place, so that the row can serve as the values of the instance. */
export interface RowReader {
  /** What is read of the class. */
  readonly columns: EntityColumns;
  readonly properties: readonly ColumnProperty[];
  /** Converts the values of a row in place, from what the driver gives to what the user sees. What the row has behind them stays. */
  convert(row: unknown[]): void;
  /** The class that a row is of, before it is converted. Undefined: they are all of one. */
  readonly discriminate: ((row: readonly unknown[]) => Mapper) | undefined;
  /** The identity key of a converted row. */
  key(row: readonly unknown[]): unknown;
  /** The columns of the rows that a class has. Rows of a hierarchy may hold those of several, whose slots have nothing to do with each other. */
  columnsOf(mapper: Mapper): readonly RowColumn[];
  /** The slots of the columns that a class has and the rows have not. Undefined: none. */
  unread(mapper: Mapper): ReadonlySet<number> | undefined;
  /** Whether the values of the row stand in the slots of the attributes. */
  readonly isInSlotOrder: boolean;
}

const readers = new WeakMap<Dialect, WeakMap<readonly ColumnProperty[], RowReader>>();

/** The reader for rows with these columns of a class. What is read of a class is one list, so that its reader is made once. */
export function rowReader(columns: EntityColumns, properties: readonly ColumnProperty[], dialect: Dialect): RowReader {
  let byProperties = readers.get(dialect);
  if (byProperties === undefined) readers.set(dialect, (byProperties = new WeakMap()));
  let reader = byProperties.get(properties);
  // Classes of one hierarchy may have the same list for their key.
  if (reader?.columns !== columns) byProperties.set(properties, (reader = makeRowReader(columns, properties, dialect)));
  return reader;
}

function makeRowReader(columns: EntityColumns, properties: readonly ColumnProperty[], dialect: Dialect): RowReader {
  const { mapper } = columns;
  const conversions = properties.flatMap(({ source }, index) => {
    const { fromDriver } = dialect.codec(source.column.type);
    return fromDriver === undefined ? [] : [{ index, fromDriver }];
  });
  const keyIndexes = mapper.primaryKey.map(({ slot }) => properties.findIndex((property) => property.slot === slot));
  const [keyIndex = -1] = keyIndexes;
  const columnsOf = rowColumns(columns, properties);
  return {
    columns,
    properties,
    convert: isCodeGenerationAllowed() ? generatedConversion(conversions) : closureConversion(conversions),
    discriminate: discriminating(columns, properties, dialect),
    key: mapper.hasPlainKey
      ? (row) => row[keyIndex]
      : (row) =>
          identityKey(
            mapper,
            keyIndexes.map((index) => row[index]),
          ),
    columnsOf,
    unread: unreadSlots(columnsOf),
    isInSlotOrder: properties.every(({ slot }, index) => slot === index),
  };
}

function discriminating(
  { discriminator }: EntityColumns,
  properties: readonly ColumnProperty[],
  dialect: Dialect,
): RowReader["discriminate"] {
  if (discriminator === undefined) return undefined;
  const { property, find } = discriminator;
  const index = properties.findIndex(({ slot }) => slot === property.slot);
  const { fromDriver } = dialect.codec(property.source.column.type);
  return (row) => find(fromDriver === undefined || row[index] === null ? row[index] : fromDriver(row[index]));
}

function rowColumns(
  columns: EntityColumns,
  properties: readonly ColumnProperty[],
): (mapper: Mapper) => readonly RowColumn[] {
  const places = new Map(properties.map((property, index) => [columns.indexOf(property), index]));
  const columnsOf = (mapper: Mapper): readonly RowColumn[] =>
    mapper.columnProperties.flatMap((property) => {
      const index = places.get(columns.indexOf(property));
      return index === undefined ? [] : [{ key: property.key, slot: property.slot, index }];
    });
  const own = columnsOf(columns.mapper);
  // What the class has, its subclasses have.
  if (columns.subclasses.length === 0) return () => own;
  const byMapper = new Map([[columns.mapper, own]]);
  return (mapper) => {
    let found = byMapper.get(mapper);
    if (found === undefined) byMapper.set(mapper, (found = columnsOf(mapper)));
    return found;
  };
}

/** Rows of a hierarchy are of several classes, and many of each: for each it is found out once. */
function unreadSlots(columnsOf: RowReader["columnsOf"]): (mapper: Mapper) => ReadonlySet<number> | undefined {
  const byMapper = new Map<Mapper, ReadonlySet<number> | undefined>();
  return (mapper) => {
    const columns = columnsOf(mapper);
    if (mapper.columnProperties.length <= columns.length) return undefined;
    let unread = byMapper.get(mapper);
    if (unread === undefined) {
      const read = new Set(columns.map(({ slot }) => slot));
      unread = new Set(mapper.columnProperties.map(({ slot }) => slot).filter((slot) => !read.has(slot)));
      byMapper.set(mapper, unread);
    }
    return unread;
  };
}

type Conversions = readonly { readonly index: number; readonly fromDriver: NonNullable<Codec["fromDriver"]> }[];

function generatedConversion(conversions: Conversions): (row: unknown[]) => void {
  const scope = Object.fromEntries(conversions.map(({ index, fromDriver }) => [`c${index}`, fromDriver]));
  const body = conversions
    .map(({ index }) => `if ((value = row[${index}]) !== null) row[${index}] = c${index}(value);`)
    .join(" ");
  return generate(scope, `return (row) => { let value; ${body} };`);
}

function closureConversion(conversions: Conversions): (row: unknown[]) => void {
  return (row) => {
    for (const { index, fromDriver } of conversions) if (row[index] !== null) row[index] = fromDriver(row[index]);
  };
}

/** Rows of one class. Its loop is the heart of every query, so it is generated where it may be. */
function simpleLoader(mapper: Mapper, reader: RowReader): RowLoader {
  const isComplete = reader.isInSlotOrder && reader.properties.length === mapper.columnProperties.length;
  const [key] = mapper.primaryKey;
  const keyType = key?.source.column.type;
  // Databases write a UUID in one way, so of a row it is its own identity key.
  const isPlainKey =
    mapper.hasPlainKey ||
    (mapper.primaryKey.length === 1 && keyType?.kind === "uuid" && keyType.fromDatabase === undefined);
  if (!isComplete || !isPlainKey || !isCodeGenerationAllowed()) {
    return (rows, context) => rows.map((row) => loadRow(mapper, reader, row, context));
  }
  const scope = {
    convert: reader.convert,
    mapper,
    instrumentation: mapper.instrumentation,
    dispatch: mapper.instrumentation.dispatch,
    instanceFromRow,
    stateOf,
    announce,
    revisit: (instance: Instance, row: unknown[], context: LoadContext) =>
      revisit(stateOf(instance), reader, row, context),
  };
  return generate<RowLoader>(
    scope,
    `return (rows, context) => {
      const known = context.identityMap.of(mapper);
      const owner = context.owner;
      const asking = context.asking?.instance;
      const isHeard = dispatch.load !== undefined || context.loadedAsPersistent !== undefined;
      const mayRefresh = context.populateExisting || dispatch.refresh !== undefined;
      const count = rows.length;
      const instances = new Array(count);
      for (let i = 0; i < count; i++) {
        const row = rows[i];
        convert(row);
        const key = row[${key?.slot ?? 0}];
        let instance = asking ?? known.get(key);
        if (instance === undefined) {
          instance = instanceFromRow(instrumentation, row, key, owner);
          known.set(key, instance);
          if (isHeard) announce(instance, context);
        } else if (mayRefresh || stateOf(instance).unread !== undefined) revisit(instance, row, context);
        instances[i] = instance;
      }
      return instances;
    };`,
  );
}

/** One row, of whatever class and with whichever columns. */
function loadRow(mapper: Mapper, reader: RowReader, row: unknown[], context: LoadContext): Instance {
  reader.convert(row);
  return takeConverted(mapper, reader, row, context);
}

function takeConverted(mapper: Mapper, reader: RowReader, row: unknown[], context: LoadContext): Instance {
  const key = reader.key(row);
  const known = context.identityMap.of(mapper);
  const existing = context.asking?.instance ?? known.get(key);
  if (existing !== undefined) {
    const state = stateOf(existing);
    if (context.populateExisting || state.unread !== undefined || isRefreshHeard(state))
      revisit(state, reader, row, context);
    return existing;
  }
  const instance = instanceOfRow(mapper, reader, row, key, context);
  announce(instance, context);
  return instance;
}

/** Makes an instance of a converted row that the session has none of. Nobody is told yet. */
export function instanceOfRow(
  mapper: Mapper,
  reader: RowReader,
  row: unknown[],
  key: unknown,
  context: LoadContext,
): Instance {
  const instance = instanceFromRow(mapper.instrumentation, valuesOf(mapper, reader, row), key, context.owner);
  const state = stateOf(instance);
  state.unread = reader.unread(mapper);
  takeIdentity(mapper, state);
  context.identityMap.of(mapper).set(key, instance);
  return instance;
}

function valuesOf(mapper: Mapper, { isInSlotOrder, properties, columnsOf }: RowReader, row: unknown[]): unknown[] {
  const { empty } = mapper.instrumentation;
  const columns = columnsOf(mapper);
  const isWhole = columns.length === properties.length && columns.length === empty.length;
  if (isInSlotOrder && isWhole && row.length === empty.length) return row;
  const values: unknown[] = empty.slice();
  for (const { slot, index } of columns) values[slot] = row[index];
  return values;
}

/** Raises the events of an instance that was just made from a row. What `load` sets belongs to the loaded state. */
export function announce(instance: Instance, context: LoadContext): void {
  const state = stateOf(instance);
  const { load } = state.instrumentation.dispatch;
  const listeners = context.loadedAsPersistent;
  try {
    if (load !== undefined) asLoaded(state, () => emit(load, { target: instance }));
    if (listeners !== undefined) emit(listeners, { session: context.session, target: instance });
  } catch (error) {
    // Nobody has seen it, and it is not what its listeners would have made of it: the next query makes another one.
    context.identityMap.discard(state);
    state.owner = undefined;
    throw error;
  }
}

/** SQLAlchemy raises `refresh` also where a row comes along for an instance that only a relationship is missing of. */
function isRefreshHeard(state: InstanceState): boolean {
  return state.instrumentation.dispatch["refresh"] !== undefined;
}

/**
 * Gives an instance that was there already what the row has and memory has not; everything, with populateExisting.
 *
 * @param takeRelated takes up what else the row holds, given the names that are missing; all, if undefined
 */
export function revisit(
  state: InstanceState,
  reader: RowReader,
  row: readonly unknown[],
  context: LoadContext,
  takeRelated?: (missing: readonly string[] | undefined) => void,
): void {
  const { values, instrumentation } = state;
  const { populateExisting } = context;
  const isOverwritten = populateExisting && context.onlyKeys === undefined;
  const filled: number[] = [];
  const missing = populateExisting || context.onlyKeys !== undefined ? undefined : state.unloadedNames();
  // Nothing is missing, and nothing was asked for.
  if (missing?.length === 0 && takeRelated === undefined) return;
  // A refresh has dropped everything itself, and what a flush has loaded since is as new.
  if (isOverwritten && context.asking === undefined) dropUnread(state, reader);
  for (const { slot, key, index } of reader.columnsOf(mapperOfState(state))) {
    // The key comes along with whatever was asked for, and is not taken up by itself.
    if (context.onlyKeys?.includes(key) === false) continue;
    if (populateExisting ? context.keeps?.(state, slot) === true : values[slot] !== undefined || state.isChanged(slot))
      continue;
    values[slot] = row[index];
    filled.push(slot);
  }
  state.commitSlots(filled);
  const unread = isOverwritten || context.onlyKeys !== undefined ? undefined : reader.unread(mapperOfState(state));
  // A row of a parent class leaves a subclass's columns to a load of their own, also those that were never set.
  if (unread !== undefined) state.addUnread(unread);
  // A relationship may have changed that is not in memory, which leaves no old value behind.
  if (isOverwritten && state.instrumentation.attributes.every(({ slot }) => !state.isChanged(slot))) {
    state.committed = undefined;
    state.modified = false;
    state.owner?.stateUnmodified(state);
  }
  takeRelated?.(missing);
  const { refresh } = instrumentation.dispatch;
  if (refresh !== undefined) {
    asLoaded(
      state,
      () =>
        emit(refresh, { target: state.instance, attrs: populateExisting ? undefined : (context.onlyKeys ?? missing) }),
      filled,
    );
  }
}

/** What is to be overwritten and is not in the row is not in memory either: relationships, and columns that only a subclass has. */
function dropUnread(state: InstanceState, reader: RowReader): void {
  const columns = reader.columnsOf(mapperOfState(state));
  const unread = state.instrumentation.attributes.filter(
    ({ isTransient, slot }) => !isTransient && !columns.some((column) => column.slot === slot),
  );
  for (const attribute of unread) attribute.expire(state);
  state.commitSlots(unread.map(({ slot }) => slot));
  state.unread = reader.unread(mapperOfState(state));
  state.unreadRelated = undefined;
}

/** Runs listeners whose assignments count as loaded: all of them, or those to the given slots. */
function asLoaded(state: InstanceState, run: () => void, slots?: readonly number[]): void {
  const { modified, committed } = state;
  const before = committed?.slice();
  // Already modified, so nobody is told of what the listeners assign; whether it is a change is decided below.
  state.modified = true;
  try {
    run();
  } finally {
    state.modified = modified;
    if (slots === undefined) state.committed = before;
    else {
      state.commitSlots(slots);
      if (!modified && state.instrumentation.attributes.some(({ slot }) => state.isChanged(slot))) state.markModified();
    }
  }
}

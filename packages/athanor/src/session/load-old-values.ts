import { NO_VALUE } from "../instance/history.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { selectByKeyText } from "../sql/compile.ts";
import type { SessionState } from "./session-state.ts";

/**
 * Loads the old values that a flush must know, and that nobody could wait for when the attribute was assigned: of attributes with
 * `activeHistory`. Nothing else of the instance changes, so no event is raised.
 */
export async function loadOldValues(core: SessionState): Promise<void> {
  const watched = new Map<Mapper, readonly ColumnProperty[]>();
  for (const state of core.dirtyStates()) {
    const mapper = mapperOfState(state);
    let properties = watched.get(mapper);
    if (properties === undefined) watched.set(mapper, (properties = watchedProperties(mapper)));
    if (properties.length === 0) continue;
    const missing = properties.filter(({ slot }) => state.committed?.[slot] === NO_VALUE);
    if (missing.length === 0) continue;
    const { dialect } = core.engine;
    const connection = await core.autobegin().connect();
    const key = state.identityValues;
    const parameters = mapper.primaryKey.map(
      ({ source }, index) => dialect.codec(source.column.type).toDriver?.(key[index]) ?? key[index],
    );
    const { rows } = await connection.run(selectByKeyText(mapper, missing, dialect), parameters);
    const [row] = rows;
    if (row === undefined) continue;
    missing.forEach(({ slot, source }, index) => {
      const { fromDriver } = dialect.codec(source.column.type);
      const value = row[index] === null || fromDriver === undefined ? row[index] : fromDriver(row[index]);
      (state.committed as unknown[])[slot] = value;
    });
  }
}

/** The key needs no loading: it is in the identity. */
function watchedProperties(mapper: Mapper): readonly ColumnProperty[] {
  return mapper.columnProperties.filter(({ slot, source }) => {
    const attribute = mapper.instrumentation.attributes[slot];
    return !source.column.primaryKey && attribute instanceof ScalarAttribute && attribute.activeHistory;
  });
}

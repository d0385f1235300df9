import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";

/** A column with what is to be written where the program leaves it unset. */
export interface ColumnDefault {
  readonly property: ColumnProperty;
  readonly options: { readonly value: unknown };
}

const defaults = new WeakMap<Mapper, readonly ColumnDefault[]>();

/** The columns of a class that have a default for INSERT. */
export function defaultsOf(mapper: Mapper): readonly ColumnDefault[] {
  let found = defaults.get(mapper);
  if (found === undefined) {
    found = mapper.columnProperties.flatMap((property) => {
      const options = property.column.options.default;
      return options === undefined ? [] : [{ property, options }];
    });
    defaults.set(mapper, found);
  }
  return found;
}

/** The value of a default, which may be a function that makes one for each row. */
export function valueOf({ value }: { readonly value: unknown }): unknown {
  return typeof value === "function" ? (value as () => unknown)() : value;
}

import { didYouMean } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import { Instance } from "../instance/instance.ts";
import { describeAccepted, isAccepted } from "./column-type.ts";
import { Column, Transient } from "./column.ts";
import { columnName } from "./column-name.ts";
import type { AnyRelationship, Declaration, Property } from "./declaration.ts";
import { Relationship } from "./relationship.ts";

const MODEL_OPTIONS = [
  "mixins",
  "polymorphicOn",
  "withPolymorphic",
  "identity",
  "version",
  "schema",
  "batch",
  "unique",
  "foreignKeys",
  "metadata",
] as const;

/** Throws ArgumentError for an option that model() or inherit() does not have. */
export function expectOptions(what: "a model" | "inherit()", options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new ArgumentError(`The options of ${what} are an object, such as { identity: "user" }.`);
  }
  const known: readonly string[] =
    what === "a model"
      ? MODEL_OPTIONS
      : [
          "table",
          "polymorphicLoad",
          "concrete",
          ...MODEL_OPTIONS.filter((option) => option !== "metadata" && option !== "polymorphicOn"),
        ];
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw new ArgumentError(
      `"${option}" is not an option of ${what}.${didYouMean(option, known)} The options are ${known.join(", ")}.`,
    );
  }
}

/** Throws ArgumentError where the name of a table is none. */
export function expectTableName(name: unknown): void {
  if (typeof name === "string" && name !== "") return;
  throw new ArgumentError(
    `model() needs the name of its table, and got ${name === "" ? "an empty one" : `a value of type ${typeof name}`}, as in model("users", { … }).`,
  );
}

const COLUMN_FUNCTIONS: readonly string[] = [
  "integer",
  "bigint",
  "real",
  "numeric",
  "text",
  "varchar",
  "boolean",
  "timestamp",
  "date",
  "json",
  "uuid",
  "bytes",
  "enumeration",
  "customType",
  "transient",
];

/** Throws ArgumentError for a property that an attribute cannot be made of. */
export function expectProperty(key: string, { value, get }: PropertyDescriptor, owner: object): Property {
  if (key in Instance.prototype) {
    throw new ArgumentError(
      `A property of a model cannot be called "${key}": every instance has that already. Call it otherwise, and keep the column with .named("${key}").`,
    );
  }
  if (value instanceof Column || value instanceof Transient) return value;
  if (get !== undefined) return () => expectRelationship(key, get.call(owner));
  const isUncalled = typeof value === "function" && COLUMN_FUNCTIONS.includes(value.name);
  throw new ArgumentError(
    `The property "${key}" of a model is neither a column, nor transient(), nor a getter with a relationship. ` +
      (isUncalled
        ? `Call it: ${key}: ${value.name}().`
        : `Declare it as ${key}: text(), or as get ${key}() { return many(Other); }.`),
  );
}

function expectRelationship(key: string, value: unknown): AnyRelationship {
  if (value instanceof Relationship) return value;
  throw new ArgumentError(
    `The getter "${key}" of a model returns no relationship. Let it return many(Other) or one(Other).`,
  );
}

/** Throws ArgumentError where two properties are one column. */
export function expectOwnColumns(table: string, properties: ReadonlyMap<string, Property>): void {
  const keys = new Map<string, string>();
  for (const [key, property] of properties) {
    if (!(property instanceof Column)) continue;
    const name = columnName(key, property);
    const other = keys.get(name);
    if (other !== undefined) {
      throw new ArgumentError(
        `The properties "${other}" and "${key}" of the table "${table}" are the same column "${name}". Name the column of one of them with .named("…").`,
      );
    }
    keys.set(name, key);
  }
}

/** Throws ArgumentError where a foreign key over several columns is not one to as many columns of one table. */
export function expectForeignKey(columns: readonly string[], references: readonly string[]): void {
  const tables = new Set(references.map((reference) => reference.slice(0, reference.lastIndexOf("."))));
  if (columns.length > 0 && columns.length === references.length && tables.size === 1 && !tables.has("")) return;
  throw new ArgumentError(
    `The foreign key over ${columns.join(", ")} refers to ${references.join(", ") || "nothing"}. It needs as many columns as it has itself, all of one table, ` +
      `each as "table.column".`,
  );
}

/** Throws ArgumentError where the parts of a declaration do not go together. */
export function checkDeclaration(declaration: Declaration, ownTable: string | undefined): void {
  const { parent, parentClass, table, identity } = declaration;
  const label = ownTable === undefined ? `inherit(${parentClass?.name ?? ""}, …)` : `"${ownTable}"`;
  if (declaration.hasOwnTable && table.primaryKey.length === 0) {
    throw new ArgumentError(
      `The model of the table ${label} has no primary key, so its rows could not be told apart. Add .primaryKey() to a column.`,
    );
  }
  for (const option of ["polymorphicOn", "version"] as const) {
    const key = declaration[option];
    if (key !== undefined && declaration.find(key)?.column === undefined)
      throw new ArgumentError(`The option ${option}: "${key}" of the model of ${label} names no column of it.`);
  }
  checkVersion(declaration, label);
  checkPolymorphicLoading(declaration, label);
  checkConcreteKey(declaration, label);
  checkDeferred(declaration, label);
  if (parent === undefined) checkIdentity(declaration, label);
  else checkInheritance(declaration, parent, label);
  const other = identity === undefined ? undefined : declaration.identities.get(identity);
  if (other !== undefined) {
    throw new ArgumentError(
      `The identity "${identity}" is taken twice in one hierarchy, by ${other.label} and by another class of the table "${table.name}". Rows could not tell them apart.`,
    );
  }
}

function checkVersion(declaration: Declaration, label: string): void {
  const { version } = declaration;
  if (version === undefined || declaration.find(version)?.column?.options.type.kind === "integer") return;
  throw new ArgumentError(
    `The option version: "${version}" of the model of ${label} is no integer(), so it cannot count updates.`,
  );
}

/** Rows of a class and of its concrete subclasses are read together, and told apart by their keys. */
function checkConcreteKey({ concreteParent, properties }: Declaration, label: string): void {
  if (concreteParent === undefined) return;
  const [own, inherited] = [keyOf(properties), keyOf(concreteParent.properties)];
  if (own === inherited) return;
  throw new ArgumentError(
    `${label} has the key ${own}, and ${concreteParent.label} has ${inherited}. A concrete subclass has a key of the same attributes: leave primaryKey() out of those that it adds.`,
  );
}

function keyOf(properties: Declaration["properties"]): string {
  return properties.flatMap(({ key, column }) => (column?.options.primaryKey === true ? key : [])).join(", ");
}

function checkPolymorphicLoading(
  { polymorphicLoad, withPolymorphic, polymorphicOn }: Declaration,
  label: string,
): void {
  if (polymorphicLoad !== undefined && !["inline", "selectin"].includes(polymorphicLoad)) {
    throw new ArgumentError(
      `The option polymorphicLoad of ${label} is "inline", "selectin" or left out, and not ${JSON.stringify(polymorphicLoad)}.`,
    );
  }
  if (withPolymorphic === undefined) return;
  if (withPolymorphic !== "*") {
    throw new ArgumentError(
      `The option withPolymorphic of the model of ${label} is "*" or left out. Name single subclasses where they are declared, { polymorphicLoad: "inline" }, or in a statement, withPolymorphic(…).`,
    );
  }
  if (polymorphicOn !== undefined) return;
  throw new ArgumentError(
    `The option withPolymorphic of the model of ${label} is about subclasses, and without a discriminator it has none: { polymorphicOn: "kind", identity: "…", withPolymorphic: "*" }.`,
  );
}

function checkDeferred({ properties, polymorphicOn, version }: Declaration, label: string): void {
  for (const { key, column } of properties) {
    if (column?.options.deferred === undefined) continue;
    const isKey = column.options.primaryKey === true;
    if (!isKey && key !== polymorphicOn && key !== version) continue;
    const role = isKey ? "part of its key" : key === version ? "its version" : "its discriminator";
    throw new ArgumentError(
      `The property "${key}" of the model of ${label} is ${role}, which every instance needs. Leave out .deferred().`,
    );
  }
}

function checkIdentity(declaration: Declaration, label: string): void {
  const { identity, polymorphicOn } = declaration;
  if (identity === undefined) return;
  const type = polymorphicOn === undefined ? undefined : declaration.find(polymorphicOn)?.column?.options.type;
  if (type === undefined) {
    throw new ArgumentError(
      `The model of ${label} has the identity "${identity}", and no column that rows could say it in. Name one: { polymorphicOn: "kind", identity: "${identity}" }.`,
    );
  }
  if (isAccepted(type, identity)) return;
  throw new ArgumentError(
    `The identity "${identity}" of ${label} does not fit into its discriminator ${polymorphicOn}, which holds ${describeAccepted(type)}.`,
  );
}

function checkInheritance(declaration: Declaration, parent: Declaration, label: string): void {
  const { identity, polymorphicOn, table, hasOwnTable } = declaration;
  if (polymorphicOn === undefined) {
    throw new ArgumentError(
      `${label} cannot say which class a row belongs to. Give the parent a discriminator: model("…", { kind: text(), … }, { polymorphicOn: "kind", identity: "…" }).`,
    );
  }
  if (identity === undefined) {
    throw new ArgumentError(
      `${label} has no identity, so rows could not say that they are of it. Add one: { identity: "…" }.`,
    );
  }
  checkIdentity(declaration, label);
  if (hasOwnTable && table.foreignKeys.length === 0) {
    throw new ArgumentError(
      `The table ${label} of a subclass has no foreign key to its parent's. Its key refers to it: id: integer().primaryKey().references("${parent.table.fullName}.${parent.table.primaryKey[0]?.name ?? "id"}").`,
    );
  }
}

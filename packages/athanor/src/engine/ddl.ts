import {
  type ColumnDefinitionBuilder,
  type CompiledQuery,
  type CreateTableBuilder,
  DummyDriver,
  type ForeignKeyConstraintBuilder,
  Kysely,
  sql,
} from "kysely";
import { defaultMetadata, type Metadata } from "../mapping/metadata.ts";
import type { ForeignKey, Table, TableColumn } from "../mapping/table.ts";
import type { Connection } from "./connection.ts";
import type { Dialect } from "./dialect.ts";
import { Engine } from "./engine.ts";

/** What to create or drop. */
export interface DdlOptions {
  /** The tables; the default metadata, where models go that name no other, unless it is set. */
  readonly metadata?: Metadata;
  /** Skips what exists when creating, and what does not when dropping. True unless it is set. */
  readonly checkFirst?: boolean;
}

/**
 * Creates the tables of all models, with their keys, constraints and indexes. What exists is left as it is, even if it differs: changing tables is the
 * work of migrations.
 *
 * ```ts
 * await createAll(engine);
 * ```
 *
 * On an engine, all of it is one transaction, where the database can do that; on a connection, it is part of what runs there.
 *
 * SQLAlchemy: Describing Databases with MetaData, `MetaData.create_all`.
 */
export async function createAll(target: Engine | Connection, options: DdlOptions = {}): Promise<void> {
  await runStatements(target, (dialect) => createStatements(dialect, options));
}

/**
 * Drops the tables of all models and everything in them. Tables that no model knows stay; if one of them refers to a model's table, the drop fails.
 *
 * SQLAlchemy: Describing Databases with MetaData, `MetaData.drop_all`.
 */
export async function dropAll(target: Engine | Connection, options: DdlOptions = {}): Promise<void> {
  await runStatements(target, (dialect) => dropStatements(dialect, options));
}

async function runStatements(
  target: Engine | Connection,
  build: (dialect: Dialect) => readonly string[],
): Promise<void> {
  if (target instanceof Engine) return target.begin((connection) => runStatements(connection, build));
  for (const statement of build(target.engine.dialect)) await target.run(statement);
}

/** The statements of {@link createAll}, in order. */
export function createStatements(dialect: Dialect, options: DdlOptions = {}): string[] {
  return new TableStatements(dialect, options.checkFirst ?? true).create(options.metadata ?? defaultMetadata);
}

/** The statements of {@link dropAll}, in order. */
export function dropStatements(dialect: Dialect, options: DdlOptions = {}): string[] {
  return new TableStatements(dialect, options.checkFirst ?? true).drop(options.metadata ?? defaultMetadata);
}

type AnyTable = CreateTableBuilder<string, string>;

/** Writes CREATE and DROP statements of one dialect through Kysely's schema builder. */
class TableStatements {
  readonly #dialect: Dialect;
  readonly #checkFirst: boolean;
  readonly #kysely: Kysely<unknown>;

  constructor(dialect: Dialect, checkFirst: boolean) {
    this.#dialect = dialect;
    this.#checkFirst = checkFirst;
    this.#kysely = new Kysely<unknown>({
      dialect: {
        createAdapter: () => dialect.adapter,
        createQueryCompiler: () => dialect.compiler,
        createDriver: () => new DummyDriver(),
        createIntrospector: (kysely) => dialect.createIntrospector(kysely),
      },
    });
  }

  create(metadata: Metadata): string[] {
    const { tables, circular } = metadata.sorted();
    const later = new Set(this.#dialect.traits.alterForeignKeys ? circular.flatMap((entry) => entry.foreignKeys) : []);
    return [
      ...this.#createSchemas(tables),
      ...tables.flatMap((table) => [
        this.#createTable(table, later),
        // A unique constraint has an index already.
        ...table.columns
          .filter((column) => column.index && !column.unique)
          .map((column) => this.#createIndex(table, column)),
      ]),
      ...circular.flatMap(({ table, foreignKeys }) =>
        foreignKeys.filter((key) => later.has(key)).flatMap((key) => this.#addForeignKey(table, key)),
      ),
    ];
  }

  drop(metadata: Metadata): string[] {
    const { tables, circular } = metadata.sorted();
    const statements = [...this.#dialect.ddl.beforeDrop];
    if (this.#dialect.traits.alterForeignKeys) {
      for (const { table, foreignKeys } of circular)
        for (const foreignKey of foreignKeys) statements.push(this.#dropForeignKey(table, foreignKey));
    }
    for (const table of tables.toReversed()) {
      const builder = this.#kysely.schema.dropTable(table.fullName);
      statements.push(text((this.#checkFirst ? builder.ifExists() : builder).compile()));
    }
    return statements;
  }

  #createSchemas(tables: readonly Table[]): string[] {
    if (!this.#dialect.traits.schemas) return [];
    const schemas = new Set(tables.map((table) => table.schema).filter((schema) => schema !== undefined));
    return [...schemas].map((schema) => text(this.#kysely.schema.createSchema(schema).ifNotExists().compile()));
  }

  #createTable(table: Table, later: ReadonlySet<ForeignKey>): string {
    let builder: AnyTable = this.#kysely.schema.createTable(table.fullName);
    if (this.#checkFirst) builder = builder.ifNotExists();
    for (const column of table.columns) {
      const { ddl } = this.#dialect.codec(column.type);
      builder = builder.addColumn(column.name, sql.raw(ddl), (definition) => this.#defineColumn(definition, column));
    }
    if (table.primaryKey.length > 0) {
      builder = builder.addPrimaryKeyConstraint(this.#name("pk", table, []), names(table.primaryKey));
    }
    for (const columns of uniques(table)) {
      builder = builder.addUniqueConstraint(this.#name("uq", table, columns), [...columns]);
    }
    for (const column of table.columns) {
      const { kind, values } = column.type;
      if (kind !== "enumeration" || values === undefined) continue;
      const allowed = sql.join(values.map((value) => sql.lit(value)));
      const check = sql`${sql.ref(column.name)} in (${allowed})`;
      builder = builder.addCheckConstraint(this.#name("ck", table, [column.name]), check);
    }
    for (const key of table.foreignKeys) {
      if (later.has(key)) continue;
      builder = builder.addForeignKeyConstraint(
        this.#name("fk", table, key.columns),
        [...key.columns],
        referencedTable(key),
        [...key.referencedColumns],
        (constraint) => withActions(constraint, key),
      );
    }
    return text(builder.compile());
  }

  #defineColumn(definition: ColumnDefinitionBuilder, column: TableColumn): ColumnDefinitionBuilder {
    let defined = definition;
    if (!column.nullable || column.primaryKey) defined = defined.notNull();
    if (column.autoincrement) defined = this.#dialect.ddl.generatedKey(defined);
    const { serverDefault } = column;
    if (serverDefault === undefined) return defined;
    const isLiteral = typeof serverDefault !== "object";
    // Some databases take expressions in parentheses only; all of them take those.
    return defined.defaultTo(isLiteral ? serverDefault : sql`(${serverDefault})`);
  }

  #createIndex(table: Table, column: TableColumn): string {
    const builder = this.#kysely.schema.createIndex(this.#name("ix", table, [column.name]));
    return text((this.#checkFirst ? builder.ifNotExists() : builder).on(table.fullName).column(column.name).compile());
  }

  #addForeignKey(table: Table, key: ForeignKey): string[] {
    const name = this.#name("fk", table, key.columns);
    const add = text(
      this.#kysely.schema
        .alterTable(table.fullName)
        .addForeignKeyConstraint(
          name,
          [...key.columns],
          referencedTable(key),
          [...key.referencedColumns],
          (constraint) => withActions(constraint, key),
        )
        .compile(),
    );
    // There is no ADD CONSTRAINT IF NOT EXISTS.
    return this.#checkFirst ? [this.#dropForeignKey(table, key), add] : [add];
  }

  #dropForeignKey(table: Table, key: ForeignKey): string {
    const name = this.#name("fk", table, key.columns);
    if (!this.#checkFirst) return text(this.#kysely.schema.alterTable(table.fullName).dropConstraint(name).compile());
    // Kysely's builder cannot skip a table that does not exist.
    return text(
      sql`alter table if exists ${sql.table(table.fullName)} drop constraint if exists ${sql.ref(name)}`.compile(
        this.#kysely,
      ),
    );
  }

  #name(kind: string, table: Table, columns: readonly string[]): string {
    const name = [kind, table.name, ...columns].join("_");
    const { maxNameLength } = this.#dialect.ddl;
    return name.length <= maxNameLength ? name : `${name.slice(0, maxNameLength - 9)}_${checksum(name)}`;
  }
}

/** All unique constraints, those of single columns first. A primary key is unique by itself. */
function uniques(table: Table): (readonly string[])[] {
  const single = table.columns.filter((column) => column.unique && !isWholePrimaryKey(table, column));
  return [...single.map((column) => [column.name]), ...table.uniques];
}

function isWholePrimaryKey(table: Table, column: TableColumn): boolean {
  return table.primaryKey.length === 1 && table.primaryKey[0] === column;
}

function withActions(constraint: ForeignKeyConstraintBuilder, key: ForeignKey): ForeignKeyConstraintBuilder {
  let built = constraint;
  if (key.onDelete !== undefined) built = built.onDelete(key.onDelete);
  if (key.onUpdate !== undefined) built = built.onUpdate(key.onUpdate);
  return built;
}

function referencedTable(key: ForeignKey): string {
  return key.referencedSchema === undefined ? key.referencedTable : `${key.referencedSchema}.${key.referencedTable}`;
}

function names(columns: readonly TableColumn[]): string[] {
  return columns.map((column) => column.name);
}

/** FNV-1a, in eight hexadecimal digits. */
function checksum(name: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function text(query: CompiledQuery): string {
  return query.sql;
}

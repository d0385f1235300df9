import fc from "fast-check";
import { expect, test } from "vitest";
import {
  aliased,
  and,
  type Attributes,
  caseWhen,
  cast,
  type Condition,
  exists,
  func,
  integer,
  joinedLoad,
  literal,
  type LoaderOption,
  many,
  Metadata,
  model,
  not,
  one,
  or,
  real,
  select,
  type Select,
  type Subquery,
  text,
  timestamp,
  withLoaderCriteria,
} from "../src/index.ts";
import type { Dialect } from "../src/engine/dialect.ts";
import { postgresqlDialect } from "../src/engine/dialects/postgresql.ts";
import { sqliteDialect } from "../src/engine/dialects/sqlite.ts";
import { StatementPlan } from "../src/loading/statement-plan.ts";
import { compileSelect } from "../src/sql/compile.ts";
import { emptyPlan } from "../src/sql/loading-plan.ts";
import { seededRandom } from "./seeded-random.ts";

// A text is kept by the structure of its statement, and serves every statement that has the same. So whatever makes a text another one must be part of the structure:
// random statements, each several times with other values, get from a database's kept texts
// what they get when they are compiled by themselves.

const metadata = new Metadata();

class Person extends model(
  "people",
  {
    id: integer().primaryKey(),
    name: text(),
    nick: text().nullable(),
    joined: timestamp(),
    bossId: integer().nullable().references("people.id"),
    get boss() {
      return one(Person, { backPopulates: "team" });
    },
    get team() {
      return many(Person, { backPopulates: "boss", orderBy: "id" });
    },
    get notes() {
      return many(Note, { backPopulates: "author", where: (note) => note.size.gt(0), viewOnly: true });
    },
  },
  { metadata },
) {}

class Note extends model(
  "notes",
  {
    id: integer().primaryKey(),
    body: text(),
    size: integer(),
    authorId: integer().references("people.id"),
    get author() {
      return one(Person, { foreignKey: "authorId" });
    },
  },
  { metadata },
) {}

type PersonAttributes = Attributes<typeof Person>;
// oxlint-disable-next-line typescript/no-explicit-any -- what a statement becomes in its steps no type can follow
type Statement = Select<any, [typeof Person], any>;

/** Makes random statements. One of the same shape and of other values differs in its values, and in which of its parts are the same object. */
class RandomStatement {
  readonly #shape: (bound: number) => number;
  readonly #value: (bound: number) => number;
  #names = 0;

  constructor(shape: number, value: number) {
    this.#shape = seededRandom(shape);
    this.#value = seededRandom(value);
  }

  make(): Statement {
    let statement = this.#start();
    for (let steps = this.#shape(5); steps > 0; steps--) statement = this.#step(statement);
    if (this.#shape(3) > 0) return this.#may() ? statement.options(this.#option(), this.#option()) : statement;
    const columns = this.#shape(3) + 1;
    const isWhole = Array.from({ length: columns }, () => this.#shape(3) === 0);
    const rows = statement.columns((person) => isWhole.map((whole) => (whole ? person : this.#number(person, 2))));
    if (this.#may()) return rows as never;
    const found = this.#may() ? rows.subquery(this.#name()) : rows.cte(this.#name());
    // Of several instances in a row each is another part of the text.
    const at = this.#value(columns);
    return select(found).where(((row: readonly PersonAttributes[]) =>
      isWhole[at] === true
        ? row[at]?.name.eq(this.#word())
        : (row[at] as unknown as PersonAttributes["id"]).eq(this.#value(3))) as never) as never;
  }

  /** What another statement finds, with others or by itself. */
  #found(statement: Statement): Statement {
    const other = (): Statement => this.#step(select(Person) as Statement);
    const next = (found: Subquery<unknown, typeof Person, any>): Statement =>
      select(Person).join(found, (person, above) =>
        and(person.bossId.eq(above.id), this.#condition(person, 1)),
      ) as never;
    return this.#one<() => unknown>([
      () => this.#twice(other, (left, right) => statement.union(left, right)),
      () => statement.unionAll(other()),
      () => statement.except(other()),
      () => select(statement.subquery(this.#name())),
      () => select(statement.cte(this.#name())),
      () => select(statement.cte(this.#name(), (this.#may() ? { union: next } : { unionAll: next }) as never)),
      () => {
        const rows = this.#may() ? other().subquery(this.#name()) : other().cte(this.#name());
        return this.#twice(
          () => rows.alias(this.#name()),
          (left, right) =>
            statement
              .join(left, (person, beside) => person.id.eq((beside as never as PersonAttributes).id))
              .outerJoin(right === left ? rows.alias(this.#name()) : right, (person) =>
                this.#condition(person as never, 1),
              ),
        );
      },
    ])() as Statement;
  }

  #start(): Statement {
    return this.#one<() => unknown>([
      () => select(Person),
      () => select(aliased(Person, "p")),
      () => select(this.#people().subquery("found")),
      () => select(this.#people().cte("found")),
      () =>
        select(
          this.#people().cte("found", {
            [this.#may() ? "union" : "unionAll"]: (found: never) =>
              this.#people().join(found, ((person: PersonAttributes, above: PersonAttributes) =>
                person.bossId.eq(above.id)) as never),
          } as never),
        ),
      () => this.#people()[this.#may() ? "union" : "unionAll"](this.#people()),
      () => this.#people()[this.#may() ? "except" : "intersect"](this.#people(), this.#people()),
    ])() as Statement;
  }

  #people(): Statement {
    const people = select(Person).where((person) => this.#condition(person, 1)) as unknown as Statement;
    return this.#may() ? people : people.orderBy((person) => person.id).limit(this.#value(3));
  }

  #step(statement: Statement): Statement {
    return this.#one<() => unknown>([
      () => statement.where((person) => this.#condition(person, 3)),
      () => statement.orderBy((person) => this.#number(person, 2)),
      () =>
        statement.orderBy((person) => (this.#may() ? person.nick.desc().nullsLast() : person.nick.asc().nullsFirst())),
      () => statement.groupBy((person) => this.#number(person, 2)),
      () => statement.having((person) => this.#condition(person, 2)),
      () => statement.limit(this.#value(3)),
      () => statement.offset(this.#value(3)),
      () => statement.distinct(),
      () => this.#found(statement),
      () => statement.join(this.#may() ? "boss" : "team"),
      () => statement.outerJoin(this.#may() ? "boss" : "notes"),
      () =>
        statement.join(
          this.#people()[this.#may() ? "subquery" : "cte"](this.#name()) as never,
          ((...entities: PersonAttributes[]) => this.#beside(entities)) as never,
        ),
      () => statement.forUpdate({ locked: this.#may() ? "skip" : "wait" }),
    ])() as Statement;
  }

  #option(): LoaderOption {
    // Asked of each place where the class stands, a criterion must say the same.
    const [isNull, word] = [this.#may(), this.#word()];
    return this.#one<() => LoaderOption>([
      () => withLoaderCriteria(Note, (note) => note.body.ne("a")),
      () => withLoaderCriteria(Person, (person) => (isNull ? person.nick.isNull() : person.name.ne(word))),
      () => joinedLoad(Person, "team"),
      () => joinedLoad(Person, "boss").joinedLoad("notes"),
    ])();
  }

  #number(person: PersonAttributes, depth: number): PersonAttributes["id"] {
    const inner = (): PersonAttributes["id"] => this.#number(person, depth - 1);
    const simple = [() => person.id, () => literal(this.#value(3))];
    const made = this.#one<() => unknown>(
      depth === 0
        ? simple
        : [
            ...simple,
            () => inner().plus(this.#value(3)),
            () => this.#twice(inner, (left, right) => left.times(right)),
            () => caseWhen(this.#condition(person, depth - 1), inner()).else(this.#value(3)),
            () => cast(inner(), this.#may() ? real() : integer()),
            () => func[this.#may() ? "min" : "max"](inner()),
            () => func.coalesce(inner(), this.#value(3)),
            () => func(this.#may() ? "abs" : "mod", inner(), this.#value(3)),
            () => func.count(inner()).filter(this.#condition(person, depth - 1)),
            () =>
              this.#twice(inner, (left, right) =>
                func
                  .sum(left)
                  .over({ partitionBy: right, orderBy: person.id, rows: this.#may() ? [null, 0] : [-1, 1] }),
              ),
            () => func.lag(inner(), 1, this.#value(3)).over({ orderBy: inner() }),
            () =>
              select(aliased(Person, this.#name()))
                .where((other) => this.#condition(other as never, depth - 1))
                .columns((other) => [func.max(other.id)])
                .scalarSubquery(),
          ],
    )();
    return made as PersonAttributes["id"];
  }

  #condition(person: PersonAttributes, depth: number): Condition {
    const inner = (): Condition => this.#condition(person, depth - 1);
    const simple = [
      () => person.name.eq(this.#word()),
      () => person.nick.like(`${this.#word()}%`),
      () => person.nick.eq(this.#may() ? null : this.#word()),
      () => person.name.eq(person.nick),
    ];
    return this.#one<() => Condition>(
      depth === 0
        ? simple
        : [
            ...simple,
            () => this.#number(person, depth - 1)[this.#may() ? "lt" : "ne"](this.#value(3)),
            () => this.#number(person, depth - 1).in(Array.from({ length: this.#shape(4) }, () => this.#value(3))),
            () => this.#number(person, depth - 1).between(this.#value(3), this.#value(3)),
            () => this.#twice(inner, this.#may() ? and : or),
            () => not(inner()),
            () => person.team.any((member) => this.#condition(member as never, depth - 1)),
            () =>
              person.id.in(
                select(this.#people().cte(this.#name())).columns((row) => [(row as never as PersonAttributes).id]),
              ),
            () => person.boss.has((boss) => this.#condition(boss as never, depth - 1)),
            () =>
              exists(
                select(aliased(Note, this.#name())).where((note) =>
                  and(
                    note.body.eq(this.#word()),
                    this.#may() ? note.authorId.eq(person.id) : note.size.gt(this.#value(3)),
                  ),
                ),
              ),
          ],
    )();
  }

  #beside(entities: readonly PersonAttributes[]): Condition {
    const [person, other] = [entities[0], entities.at(-1)] as [PersonAttributes, PersonAttributes];
    return or(other.id.eq(person.id), this.#condition(other, 1));
  }

  /** Of two parts, which may be one and the same. */
  #twice<T, TResult>(make: () => T, join: (left: T, right: T) => TResult): TResult {
    const left = make();
    return join(left, this.#value(2) === 0 ? left : make());
  }

  #may(): boolean {
    return this.#shape(2) === 0;
  }

  #one<T>(things: readonly T[]): T {
    return things[this.#shape(things.length)] as T;
  }

  #word(): string {
    return ["", "a", "b"][this.#value(3)] as string;
  }

  /** Subqueries of one statement have names of their own. */
  #name(): string {
    return `other_${++this.#names}`;
  }
}

test.for<[name: string, open: () => Dialect]>([
  ["SQLite", () => sqliteDialect(":memory:")],
  ["PostgreSQL", () => postgresqlDialect("postgresql://localhost/test")],
])("a statement has the text of its structure, whatever was compiled before: %s", ([, open]) => {
  const warm = open();
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), (shape, values) => {
      for (const value of values) {
        const made = new RandomStatement(shape, value).make();
        // Texts are kept for a dialect, and a copy of one is another one.
        expect(compiled(made, warm)).toEqual(compiled(made, { ...warm }));
      }
    }),
    { numRuns: 2000 },
  );
});

function compiled(statement: Statement, dialect: Dialect): unknown {
  return compileSelect(new StatementPlan(statement, statement.parts.plan ?? emptyPlan).select, dialect, undefined);
}

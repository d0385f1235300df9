// What the rows of statements are that read several classes, and what others find. Vitest checks it with TypeScript 7, `npm run typecheck` with 5.9 too.
import { describe, expectTypeOf, test } from "vitest";
import {
  aliased,
  type AnyModel,
  type Attribute,
  bigint,
  type ColumnsOf,
  containsEager,
  type DerivedColumn,
  func,
  integer,
  many,
  model,
  one,
  type OuterAttributes,
  type Result,
  type Select,
  select,
  type Session,
  sql,
  text,
  timestamp,
} from "../../src/index.ts";

class Writer extends model("found_writers", {
  id: integer().primaryKey(),
  name: text(),
  get works() {
    return many(Work);
  },
}) {}

class Work extends model("found_works", {
  id: integer().primaryKey(),
  title: text(),
  copies: bigint(),
  printedAt: timestamp().nullable(),
  writerId: integer().references("found_writers.id"),
  get writer() {
    return one(Writer).required();
  },
}) {}

declare const session: Session;

type RowsOf<TStatement> = TStatement extends Select<infer R, any, any> ? R : never;

describe("rows of several classes", () => {
  test("have instances, null where an outer join may lack them, and values", () => {
    const statement = select(Writer)
      .join("works")
      .outerJoin(aliased(Work, "other"), (_, work, other) => other.title.eq(work.title))
      .columns((writer, work, other) => ({ writer, work, other, copies: other.copies, at: work.printedAt }));
    expectTypeOf<RowsOf<typeof statement>>().toEqualTypeOf<{
      writer: Writer;
      work: Work;
      other: Work | null;
      copies: bigint | null;
      at: Date | null;
    }>();
    expectTypeOf(session.execute(statement)).resolves.toEqualTypeOf<Result<RowsOf<typeof statement>>>();
    const tuples = statement.columns((writer, work) => [work, writer.name, func.count()]);
    expectTypeOf<RowsOf<typeof tuples>>().toEqualTypeOf<[Work, string, number]>();
  });

  test("may leave out the class that was selected", () => {
    const statement = select(Writer)
      .outerJoin("works")
      .where((_, work) => {
        expectTypeOf(work).toEqualTypeOf<OuterAttributes<typeof Work>>();
        expectTypeOf(work.title).toEqualTypeOf<Attribute<Work, string | null, "column">>();
        expectTypeOf(work.writer).toEqualTypeOf<Attribute<Work, Writer, "one">>();
        return work.title.isNotNull();
      })
      .columns((_, work) => [work]);
    expectTypeOf<RowsOf<typeof statement>>().toEqualTypeOf<[Work | null]>();
    expectTypeOf(session.scalars(statement).then((works) => works.all())).resolves.toEqualTypeOf<(Work | null)[]>();
  });

  test("come of joins that go on from an outer one", () => {
    const statement = select(Writer)
      .outerJoin("works")
      .join(Work, "writer")
      .columns((_, work, again) => [work, again]);
    expectTypeOf<RowsOf<typeof statement>>().toEqualTypeOf<[Work | null, Writer]>();
    // @ts-expect-error -- no relationship of Work
    select(Writer).outerJoin("works").join(Work, "works");
    // @ts-expect-error -- none of its classes
    select(Writer).join("works").join(Other, "works");
  });
});

declare const Other: { readonly "~properties": { readonly works: never } } & (abstract new () => Writer);

describe("what another statement finds", () => {
  const printed = select(Work).columns((work) => ({
    work,
    title: work.title,
    at: work.printedAt,
    size: func.length(work.title),
  }));

  test("has the columns of its rows, and the attributes of instances in them", () => {
    const statement = select(printed.subquery("printed")).where((row) => {
      expectTypeOf(row).toEqualTypeOf<ColumnsOf<{ work: Work; title: string; at: Date | null; size: number | null }>>();
      expectTypeOf(row.at).toEqualTypeOf<DerivedColumn<Date | null>>();
      expectTypeOf(row.work.copies).toEqualTypeOf<Attribute<Work, bigint, "column">>();
      return row.title.eq("x");
    });
    expectTypeOf<RowsOf<typeof statement>>().toEqualTypeOf<RowsOf<typeof printed>>();
    // @ts-expect-error -- a title is text
    statement.where((row) => row.title.eq(1));
    expectTypeOf(statement.where({ title: "x" })).toEqualTypeOf(statement);
    // @ts-expect-error -- no such column
    statement.where({ titel: "x" });
  });

  test("is joined like a class, also where it may lack rows", () => {
    const found = printed.cte("found");
    const statement = select(Writer)
      .outerJoin(found, (writer, row) => row.work.writerId.eq(writer.id))
      .columns((writer, row) => ({ writer, title: row.title, work: row.work }));
    expectTypeOf<RowsOf<typeof statement>>().toEqualTypeOf<{
      writer: Writer;
      title: string | null;
      work: Work | null;
    }>();
    const works = select(Work).subquery("works");
    const beside = select(Writer).join(works, (writer, work) => {
      expectTypeOf(work.title).toEqualTypeOf<Attribute<Work, string, "column">>();
      return work.writerId.eq(writer.id);
    });
    expectTypeOf(beside).toEqualTypeOf<Select<Writer, [typeof Writer, typeof Work]>>();
    expectTypeOf(select(works)).toEqualTypeOf<Select<Work, [typeof Work]>>();
    expectTypeOf(select(aliased(Work, works))).toEqualTypeOf<Select<Work, [typeof Work]>>();
  });

  test("is put together of rows of one kind", () => {
    const names = select(Writer).columns((writer) => ({ name: writer.name, at: writer.id }));
    const both = names.union(select(Work).columns((work) => ({ name: work.title, at: work.id })));
    expectTypeOf<RowsOf<typeof both>>().toEqualTypeOf<{ name: string; at: number }>();
    expectTypeOf(both.orderBy((row) => row.name)).toEqualTypeOf(both);
    const nullable = select(Work)
      .columns((work) => [work.printedAt])
      .unionAll(select(Work).columns(() => [sql<Date>`now()`]));
    expectTypeOf<RowsOf<typeof nullable>>().toEqualTypeOf<[Date | null]>();
    const works = select(Work).join("writer").except(select(Work));
    expectTypeOf(works).toEqualTypeOf<Select<Work, [typeof Work]>>();
    // @ts-expect-error -- other names
    names.union(select(Work).columns((work) => ({ title: work.title, at: work.id })));
    // @ts-expect-error -- other types
    names.union(select(Work).columns((work) => ({ name: work.title, at: work.printedAt })));
  });

  test("is found step by step", () => {
    const tree = printed.cte("tree", {
      union: (found) =>
        select(Work)
          .join(found, (work, before) => work.id.gt(before.work.id))
          .columns((work, before) => ({ work, title: work.title, at: before.at, size: before.size })),
    });
    expectTypeOf<RowsOf<ReturnType<typeof treeOf>>>().toEqualTypeOf<RowsOf<typeof printed>>();
    const treeOf = () => select(tree);
    // @ts-expect-error -- either of the two
    printed.cte("tree", {});
    // @ts-expect-error -- rows of another kind
    printed.cte("tree", { union: (found) => select(Work).join(found, (work, before) => work.id.eq(before.work.id)) });
  });

  test("is instances, of SQL of one's own", () => {
    const statement = select(Work).fromStatement(sql`select * from found_works`);
    expectTypeOf(session.scalars(statement).then((works) => works.all())).resolves.toEqualTypeOf<Work[]>();
    // @ts-expect-error -- columns are no instances
    printed.fromStatement(sql`select * from found_works`);
  });
});

describe("generic code", () => {
  async function newest<TModel extends AnyModel>(entity: TModel): Promise<InstanceType<TModel>[]> {
    const statement = select(entity).limit(10);
    return (await session.scalars(statement.union(statement))).all();
  }

  test("puts statements of any class together", () => {
    expectTypeOf(newest(Work)).resolves.toEqualTypeOf<Work[]>();
  });
});

test("containsEager names relationships, as the other options do", () => {
  select(Writer).join("works").options(containsEager(Writer, "works").containsEager("writer"));
  // @ts-expect-error -- no relationship
  containsEager(Writer, "work");
});

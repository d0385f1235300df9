import { describe, expect, test } from "vitest";
import {
  createAll,
  deleteFrom,
  insert,
  inspect,
  integer,
  isOrmStatement,
  listen,
  load,
  Metadata,
  model,
  numeric,
  one,
  many,
  select,
  type Session,
  sessionmaker,
  text,
  update,
  UserDefinedOption,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { hideDeleted, hideOtherTenants } from "./criteria-rules.ts";
import { Folder, ids, openCriteriaStory, Person, Post } from "./criteria-story.ts";

const metadata = new Metadata();

class Shop extends model(
  "shops",
  {
    id: integer().primaryKey(),
    name: text().unique(),
    rating: integer().nullable(),
    get offers() {
      return many(Offer, { backPopulates: "shop", orderBy: "id", lazy: "selectin" });
    },
  },
  { metadata },
) {}

class Offer extends model(
  "offers",
  {
    id: integer().primaryKey(),
    price: numeric(12, 3).nullable(),
    shopId: integer().nullable().references("shops.id"),
    get shop() {
      return one(Shop, { backPopulates: "offers", lazy: "joined" });
    },
  },
  { metadata },
) {}

class Asked extends UserDefinedOption {
  override readonly propagateToLoaders = true;
}

forEachDatabase((db) => {
  async function openShops(): Promise<Session> {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await SessionLocal.begin(async (session) => {
      await session.execute(insert(Shop), [
        { id: 1, name: "a" },
        { id: 2, name: "b" },
      ]);
      await session.execute(insert(Offer), [
        { price: "1", shopId: 1 },
        { price: "2", shopId: 1 },
        { price: "3", shopId: 2 },
      ]);
    });
    return SessionLocal();
  }

  async function openRuled(): Promise<Session> {
    const SessionLocal = await openCriteriaStory(db);
    hideDeleted(SessionLocal);
    hideOtherTenants(SessionLocal);
    const session = SessionLocal();
    session.info["tenant"] = "us";
    return session;
  }

  describe("instances that a statement returns keep to its criteria in later loads", () => {
    test("those of an UPDATE", async () => {
      await using session = await openRuled();
      const ann = (await session.scalars(update(Person).where({ id: 1 }).values({ name: "anna" }).returning())).one();
      await load(ann, "posts");
      expect(ids(ann.posts)).toEqual([1]);
      for (const post of ann.posts) await load(post, "tags");
      expect(ann.posts.map(({ tags }) => ids(tags))).toEqual([[1]]);
    });

    test("those of an INSERT with plain values", async () => {
      await using session = await openRuled();
      const rows = [{ id: 11, title: "x", tenant: "us", author_id: 2 }];
      const post = (await session.scalars(insert(Post).returning(), rows)).one();
      await load(post, "author");
      expect(post.author).toBeNull();
      const folder = (await session.scalars(insert(Folder).returning(), [{ id: 7, parent_id: 2 }])).one();
      await load(folder, "parent");
      expect(folder.parent).toBeNull();
    });

    test("those of an upsert", async () => {
      await using session = await openRuled();
      const upsert = insert(Folder).onConflict("id").doUpdate({ parent_id: null }).returning();
      const folder = (await session.scalars(upsert, [{ id: 1 }])).one();
      await load(folder, "children");
      expect(ids(folder.children)).toEqual([3]);
    });

    test("and options of users' own reach the listeners of those loads", async () => {
      await using session = await openShops();
      const seen: unknown[] = [];
      listen(session, "doOrmExecute", (event) => {
        if (event.isRelationshipLoad) seen.push(...event.userDefinedOptions);
      });
      const option = new Asked("who");
      const statement = update(Shop).where({ id: 1 }).values({ rating: 1 }).options(option).returning();
      const shop = (await session.scalars(statement)).one();
      session.expire(shop, ["offers"]);
      seen.length = 0;
      await load(shop, "offers");
      expect(seen).toEqual([option]);
    });
  });

  describe("instances that a statement returns come with what their class loads along", () => {
    test("by further statements, also what a SELECT would join", async () => {
      await using session = await openShops();
      const shops = await session.scalars(update(Shop).values({ rating: 1 }).returning());
      expect(shops.all().map(({ id, offers }) => [id, ids(offers)])).toEqual(
        expect.arrayContaining([
          [1, [1, 2]],
          [2, [3]],
        ]),
      );
      session.expungeAll();
      const offers = await session.scalars(insert(Offer).returning(), [
        { id: 8, shopId: 2 },
        { id: 7, shopId: 1 },
      ]);
      expect(offers.all().map(({ id, shop }) => [id, shop?.name])).toEqual([
        [8, "b"],
        [7, "a"],
      ]);
    });

    test("keeping to its criteria", async () => {
      await using session = await openShops();
      const dear = withLoaderCriteria(Offer, (offer) => offer.id.gt(1));
      const upsert = insert(Shop).onConflict("name").doUpdate({ rating: 2 }).options(dear).returning();
      const shop = (await session.scalars(upsert, [{ name: "a" }])).one();
      expect(ids(shop.offers)).toEqual([2]);
    });

    test("but for deleted ones", async () => {
      await using session = await openShops();
      const statements: string[] = [];
      listen(session, "doOrmExecute", ({ statement }) => {
        if (isOrmStatement(statement)) statements.push(statement.entity.name);
      });
      const [offer] = await session.scalars(deleteFrom(Offer).where({ id: 3 }).returning());
      expect(inspect(offer as Offer).lifecycle).toBe("deleted");
      expect(statements).toEqual(["Offer"]);
    });
  });

  describe("an INSERT that returns tells what the database has stored", () => {
    test("of plain values, in columns and in instances", async () => {
      await using session = await openShops();
      const rows = [{ id: 30, price: "1.23456" }, { id: 10, price: "7" }, { id: 20 }];
      const prices = await session.execute(
        insert(Offer).returning((offer) => ({ id: offer.id, price: offer.price })),
        rows,
      );
      expect(prices.all()).toEqual([
        { id: 30, price: "1.235" },
        { id: 10, price: "7.000" },
        { id: 20, price: null },
      ]);
      const offers = await session.scalars(
        insert(Offer).returning(),
        ["2.00049", "3.1416"].map((price) => ({ price })),
      );
      expect(offers.all().map(({ price }) => price)).toEqual(["2.000", "3.142"]);
      const stored = await session.scalars(
        select(Offer)
          .where((offer) => offer.id.in(ids(offers.all())))
          .orderBy((offer) => offer.id)
          .columns(({ price }) => [price]),
      );
      expect(stored.all()).toEqual(["2.000", "3.142"]);
    });

    test("in the order of many rows, whose keys are given or generated", async () => {
      await using session = await openShops();
      const keys = Array.from({ length: 1203 }, (_, index) => 5000 - index);
      const given = await session.scalars(
        insert(Offer).returning((offer) => [offer.id]),
        keys.map((id) => ({ id })),
      );
      expect(given.all()).toEqual(keys);
      const priced = keys.map((key) => ({ price: `${key}.5` }));
      const generated = await session.scalars(
        insert(Offer).returning((offer) => [offer.price]),
        priced,
      );
      expect(generated.all()).toEqual(keys.map((key) => `${key}.500`));
    });
  });
});

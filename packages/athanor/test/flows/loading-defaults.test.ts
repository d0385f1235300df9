import { describe, expect, test } from "vitest";
import {
  type AnyModel,
  createAll,
  inherit,
  integer,
  joinedLoad,
  type Lazy,
  lazyLoad,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  type OrderBy,
  type RelationshipOptions,
  select,
  type SessionMaker,
  sessionmaker,
  text,
  UnloadedAttributeError,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

/** A folder with files, which say themselves how they are loaded. */
function family(lazy: { readonly files?: Lazy; readonly folder?: Lazy; readonly tags?: Lazy; readonly owner?: Lazy }) {
  const metadata = new Metadata();
  const id = integer().primaryKey();
  class Folder extends model(
    "folders",
    {
      id,
      name: text(),
      get files() {
        return many(File, { backPopulates: "folder", orderBy: "id", ...(lazy.files && { lazy: lazy.files }) });
      },
    },
    { metadata },
  ) {}
  class File extends model(
    "files",
    {
      id,
      kind: text(),
      title: text(),
      folder_id: integer().nullable().references("folders.id"),
      get folder() {
        return one(Folder, { backPopulates: "files", ...(lazy.folder && { lazy: lazy.folder }) });
      },
      get tags() {
        return many(Tag, { orderBy: "id", ...(lazy.tags && { lazy: lazy.tags }) });
      },
    },
    { metadata, polymorphicOn: "kind", identity: "file" },
  ) {}
  class Photo extends inherit(
    File,
    { identity: "photo" },
    {
      owner_id: integer().nullable().references("owners.id"),
      get owner() {
        return one(Owner, { ...(lazy.owner && { lazy: lazy.owner }) });
      },
    },
  ) {}
  class Owner extends model("owners", { id, name: text() }, { metadata }) {}
  class Tag extends model("tags", { id, label: text(), file_id: integer().references("files.id") }, { metadata }) {}
  const models: AnyModel[] = [Folder, File, Photo, Owner, Tag];
  const open = async (db: Database) => {
    const opened = await connect(db, metadata, models);
    await opened.SessionLocal.begin(async (session) => {
      session.add(new Owner({ id: 1, name: "ann" }));
      session.addAll([1, 2].map((number) => new Folder({ id: number, name: `folder ${number}` })));
      await session.flush();
      session.addAll([
        new File({ id: 1, title: "a", folder_id: 1 }),
        new Photo({ id: 2, title: "b", folder_id: 1, owner_id: 1 }),
        new File({ id: 3, title: "c", folder_id: 2 }),
      ]);
      await session.flush();
      session.addAll([new Tag({ id: 1, label: "x", file_id: 1 }), new Tag({ id: 2, label: "y", file_id: 1 })]);
    });
    opened.sent();
    return opened;
  };
  return { Folder, File, Photo, open };
}

async function connect(
  db: Database,
  metadata: Metadata,
  models: readonly AnyModel[],
): Promise<{ SessionLocal: SessionMaker; sent(): readonly string[] }> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    if (statement.startsWith("select")) statements.push(statement);
  });
  return { SessionLocal: sessionmaker(engine, { models }), sent: () => statements.splice(0) };
}

const titles = (files: Iterable<{ title: string }>): string[] => [...files].map(({ title }) => title);
const byId = <T extends OrderBy>(entity: { readonly id: T }): T => entity.id;

forEachDatabase((db) => {
  describe("a relationship with lazy", () => {
    test.each([
      ["selectin", 2],
      ["joined", 1],
      ["subquery", 2],
      ["immediate", 3],
    ] as const)("%s is loaded along by every statement", async (lazy, count) => {
      const { Folder, open } = family({ files: lazy });
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const folders = (await session.scalars(select(Folder).orderBy(byId))).all();
      expect(sent()).toHaveLength(count);
      expect(folders.map(({ files }) => titles(files))).toEqual([["a", "b"], ["c"]]);
      session.expungeAll();
      const pairs = (
        await session.execute(
          select(Folder)
            .join("files")
            .columns((folder, file) => [folder, file.title])
            .orderBy((_, file) => file.id)
            .limit(1),
        )
      ).all();
      expect(pairs.map(([folder, title]) => [titles(folder.files), title])).toEqual([[["a", "b"], "a"]]);
    });

    test.each(["selectin", "joined", "subquery", "immediate"] as const)(
      "%s is loaded along by get, by refresh, and where an expired instance is loaded anew",
      async (lazy) => {
        const { Folder, File, open } = family({ files: lazy });
        const { SessionLocal, sent } = await open(db);
        await using session = SessionLocal();
        const folder = (await session.get(Folder, 1))!;
        expect(sent()).toHaveLength(lazy === "joined" ? 1 : 2);
        expect(titles(folder.files)).toEqual(["a", "b"]);
        session.add(new File({ id: 4, title: "d", folder_id: 1 }));
        await session.flush();
        await session.refresh(folder);
        expect(sent()).toHaveLength(lazy === "joined" ? 1 : 2);
        expect(titles(folder.files)).toEqual(["a", "b", "d"]);
        session.expire(folder);
        await load(folder, "name");
        expect(sent()).toHaveLength(lazy === "joined" ? 1 : 2);
        expect(titles(folder.files)).toEqual(["a", "b", "d"]);
        session.expire(folder, ["name"]);
        await load(folder, "name");
        await session.refresh(folder, ["name"]);
        expect(sent()).toHaveLength(2);
      },
    );

    test("leads on, through what is loaded along and what load() finds, and stops where it came from", async () => {
      const { Folder, File, open } = family({ files: "selectin", folder: "joined", tags: "joined", owner: "selectin" });
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const [folder] = (await session.scalars(select(Folder).orderBy(byId))).all();
      expect(folder!.files[0]!.tags.map(({ label }) => label)).toEqual(["x", "y"]);
      expect(folder!.files.map((file) => file.folder)).toEqual([folder, folder]);
      // Folders, their files with tags, the owners of photos among them.
      const statements = sent();
      expect(statements).toHaveLength(3);
      expect(statements[1]).not.toContain('join "folders');
      session.expungeAll();
      const file = (await session.get(File, 1))!;
      expect(file.tags).toHaveLength(2);
      expect(file.folder?.name).toBe("folder 1");
      expect(() => file.folder?.files).toThrow(UnloadedAttributeError);
      sent();
      expect(await load(file.folder!, "files")).toContain(file);
      expect(sent()).toHaveLength(2);
    });

    test.each(["selectin", "joined", "subquery", "immediate"] as const)(
      "%s on a subclass is loaded along for its instances, also where the rows are those of the parent",
      async (lazy) => {
        const { File, Photo, open } = family({ owner: lazy });
        const { SessionLocal, sent } = await open(db);
        await using session = SessionLocal();
        const files = (await session.scalars(select(File).orderBy(byId))).all();
        expect(files.map((file) => (file instanceof Photo ? file.owner?.name : "-"))).toEqual(["-", "ann", "-"]);
        // What belongs to one by itself is loaded with the columns that its row of the parent class left out.
        expect(sent()).toHaveLength(lazy === "immediate" ? 3 : 2);
        session.expungeAll();
        const [photo] = (await session.scalars(select(Photo))).all();
        expect(photo!.owner?.name).toBe("ann");
        expect(sent()).toHaveLength(lazy === "joined" ? 1 : 2);
      },
    );

    test("gives way to what a statement says", async () => {
      const { Folder, open } = family({ files: "selectin" });
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const [lazily] = (await session.scalars(select(Folder).options(lazyLoad(Folder, "files")))).all();
      expect(sent()).toHaveLength(1);
      expect(() => lazily!.files).toThrow(UnloadedAttributeError);
      session.expungeAll();
      const [joined] = (await session.scalars(select(Folder).options(joinedLoad(Folder, "files")))).all();
      expect(sent()).toHaveLength(1);
      expect(titles(joined!.files)).toHaveLength(2);
    });

    test("raise holds for every instance, unless a statement says otherwise", async () => {
      const { Folder, File, open } = family({ files: "raise", folder: "raiseOnSql" });
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const folder = (await session.get(Folder, 1))!;
      await expect(load(folder, "files")).rejects.toThrow("raiseLoad");
      const other = (await session.scalars(select(Folder).where({ id: 2 }).options(lazyLoad(Folder, "files")))).one();
      expect(titles(await load(other, "files"))).toEqual(["c"]);
      await session.refresh(folder, ["files"]);
      expect(titles(folder.files)).toEqual(["a", "b"]);
      expect((await session.get(File, 1))!.folder).toBe(folder);
      session.expunge(other);
      await expect(load((await session.get(File, 3))!, "folder")).rejects.toThrow("raiseLoad");
    });

    test("noload reads as empty, and takes up what is put in", async () => {
      const { Folder, File, open } = family({ files: "noload" });
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const folder = (await session.get(Folder, 1))!;
      expect(folder.files).toEqual([]);
      folder.files.push((await session.get(File, 3))!);
      await session.commit();
      expect(titles(await load(folder, "files"))).toEqual(["a", "b", "c"]);
      const made = new Folder({ id: 3, name: "new" });
      made.files.push(new File({ id: 4, title: "d" }));
      session.add(made);
      await session.commit();
      expect(titles(made.files)).toEqual(["d"]);
      session.expire(made);
      expect(titles(made.files)).toEqual([]);
    });

    test("that is no way to load it is refused", () => {
      const refused = (options: RelationshipOptions): string => {
        class Node extends model(
          "nodes",
          {
            id: integer().primaryKey(),
            parent_id: integer().nullable().references("nodes.id"),
            get parent() {
              return one(Node, options);
            },
          },
          { metadata: new Metadata() },
        ) {}
        try {
          select(Node);
          return "";
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect(refused({ lazy: "imediate" as Lazy })).toBe(
        'Node.parent has lazy: "imediate", which is no way to load a relationship. Did you mean "immediate"? ' +
          'The ways are "select", "selectin", "joined", "subquery", "immediate", "raise", "raiseOnSql", "noload", "writeOnly".',
      );
      expect(refused({ joinDepth: 0 })).toBe("Node.parent has joinDepth: 0, which is no whole number from 1 on.");
    });
  });

  describe("a relationship of a class with itself", () => {
    const metadata = new Metadata();
    class Node extends model(
      "nodes",
      {
        id: integer().primaryKey(),
        parent_id: integer().nullable().references("nodes.id"),
        get children() {
          return many(Node, { lazy: "joined", joinDepth: 2, orderBy: "id", backPopulates: "parent" });
        },
        get parent() {
          return one(Node, { backPopulates: "children" });
        },
      },
      { metadata },
    ) {}
    class Link extends model(
      "links",
      {
        id: integer().primaryKey(),
        next_id: integer().nullable().references("links.id"),
        get next() {
          return one(Link, { lazy: "selectin" });
        },
      },
      { metadata },
    ) {}

    test("is joined as deep as it says, and then left to load()", async () => {
      const { SessionLocal, sent } = await connect(db, metadata, [Node]);
      await SessionLocal.begin((session) => {
        for (let number = 1; number <= 4; number++)
          session.add(new Node({ id: number, ...(number > 1 && { parent_id: number - 1 }) }));
      });
      await using session = SessionLocal();
      const node = (await session.get(Node, 1))!;
      expect(sent()).toHaveLength(1);
      const third = node.children[0]!.children[0]!;
      expect(third.id).toBe(3);
      expect(() => third.children).toThrow(UnloadedAttributeError);
      expect((await load(third, "children"))[0]!.children).toEqual([]);
    });

    test("is not loaded along without end where it does not say how deep", async () => {
      const { SessionLocal, sent } = await connect(db, metadata, [Link]);
      await SessionLocal.begin(async (session) => {
        session.addAll([1, 2, 3].map((number) => new Link({ id: number })));
        await session.flush();
        for (const number of [1, 2, 3]) (await session.get(Link, number))!.next_id = (number % 3) + 1;
      });
      sent();
      await using session = SessionLocal();
      await session.get(Link, 1);
      expect(sent()).toHaveLength(1);
    });
  });
});

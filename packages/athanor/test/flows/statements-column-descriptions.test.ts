import { expect, test } from "vitest";
import {
  aliased,
  attributes,
  func,
  inherit,
  integer,
  many,
  Metadata,
  mixin,
  model,
  select,
  sql,
  text,
} from "../../src/index.ts";

const metadata = new Metadata();
const Stamped = mixin({ note: text().nullable() });

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    kind: text(),
    get posts() {
      return many(Post);
    },
  },
  { metadata, polymorphicOn: "kind", identity: "user", mixins: [Stamped] },
) {}
class Admin extends inherit(User, { identity: "admin" }, {}) {}
class Post extends model(
  "posts",
  { id: integer().primaryKey(), title: text(), user_id: integer().references("users.id") },
  { metadata },
) {}

test("a statement of instances has one part, its class", () => {
  const user = { name: "User", type: User, entity: User, expr: User };
  expect(select(User).columnDescriptions).toEqual([user]);
  expect(select(User).join("posts").where({ id: 1 }).columnDescriptions).toEqual([user]);
  expect(select(Admin).columnDescriptions).toMatchObject([{ name: "Admin", type: Admin, entity: Admin }]);
  expect(select(aliased(User, "boss")).columnDescriptions).toEqual([{ ...user, name: "boss" }]);
});

test("a statement of columns has one for each, with its name, its type, and the class that it is of", () => {
  const statement = select(User)
    .join("posts")
    .columns((user, post) => [user.name, post.id, func.count(post.id), sql<number>`1`]);
  const [name, id, count, raw] = statement.columnDescriptions;
  expect(name).toMatchObject({ name: "name", type: { kind: "text" }, entity: User });
  expect(id).toMatchObject({ name: "id", type: { kind: "integer" }, entity: Post });
  expect([count?.name, count?.entity]).toEqual([undefined, undefined]);
  expect(raw).toMatchObject({ name: undefined, type: undefined, entity: undefined });
  expect(name?.expr).toMatchObject({ key: "name" });
  expect(select(User).columns(({ name: own }) => [own]).columnDescriptions[0]?.expr).toMatchObject({
    label: attributes(User).name.label,
  });
});

test("where rows are objects, their names are told", () => {
  const boss = aliased(User, "boss");
  const statement = select(boss).columns((user) => ({ called: user.name, note: user.note, posts: func.count() }));
  expect(statement.columnDescriptions).toMatchObject([
    { name: "called", type: { kind: "text" }, entity: User },
    { name: "note", entity: User },
    { name: "posts", entity: undefined },
  ]);
});

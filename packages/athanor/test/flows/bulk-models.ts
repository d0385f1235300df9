import { inherit, integer, Metadata, model, numeric, text, timestamp } from "../../src/index.ts";

export const metadata = new Metadata();

export class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    email: text().unique(),
    name: text().nullable(),
    tenant: text().default("us"),
    visits: integer().default(1),
    price: numeric(10, 2).nullable(),
    state: text().serverDefault("new"),
    seenAt: timestamp().nullable(),
    changes: integer().nullable().onupdate(7),
  },
  { metadata },
) {}

export class Archived extends model(
  "archived",
  {
    id: integer().primaryKey(),
    email: text().unique(),
    reason: text().default("old"),
    state: text().serverDefault("new"),
  },
  { metadata },
) {}

export class Person extends model(
  "people",
  { id: integer().primaryKey(), kind: text(), name: text() },
  { metadata, polymorphicOn: "kind", identity: "person" },
) {}
export class Manager extends inherit(
  Person,
  { identity: "manager", table: "managers" },
  { id: integer().primaryKey().references("people.id"), level: integer().nullable() },
) {}

export class Document extends model(
  "documents",
  { id: integer().primaryKey(), title: text(), version: integer() },
  { metadata, version: "version" },
) {}

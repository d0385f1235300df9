import { integer, many, Metadata, model, numeric, one, table, text } from "../../src/index.ts";

/** A shop for recordings, of the shape of the Chinook database. */
export const metadata = new Metadata();

export class Artist extends model(
  "artists",
  {
    id: integer().primaryKey(),
    name: text(),
    get albums() {
      return many(Album, { backPopulates: "artist" });
    },
  },
  { metadata },
) {}

export class Album extends model(
  "albums",
  {
    id: integer().primaryKey(),
    title: text(),
    year: integer(),
    artistId: integer().references("artists.id").index(),
    get artist() {
      return one(Artist, { backPopulates: "albums" });
    },
    get tracks() {
      return many(Track, { backPopulates: "album" });
    },
  },
  { metadata },
) {}

export class Track extends model(
  "tracks",
  {
    id: integer().primaryKey(),
    name: text(),
    seconds: integer(),
    albumId: integer().references("albums.id").index(),
    get album() {
      return one(Album, { backPopulates: "tracks" });
    },
    get tags() {
      return many(Tag, { secondary: "track_tags", backPopulates: "tracks" });
    },
    get lines() {
      return many(Line, { backPopulates: "track" });
    },
  },
  { metadata },
) {}

export class Tag extends model(
  "tags",
  {
    id: integer().primaryKey(),
    label: text(),
    get tracks() {
      return many(Track, { secondary: "track_tags", backPopulates: "tags" });
    },
  },
  { metadata },
) {}

table(
  "track_tags",
  { trackId: integer().primaryKey().references("tracks.id"), tagId: integer().primaryKey().references("tags.id") },
  { metadata },
);

export class Customer extends model(
  "customers",
  {
    id: integer().primaryKey(),
    name: text(),
    country: text(),
    referrerId: integer().nullable().references("customers.id").index(),
    get referrer() {
      return one(Customer, { backPopulates: "referred" });
    },
    get referred() {
      return many(Customer, { backPopulates: "referrer" });
    },
    get invoices() {
      return many(Invoice, { backPopulates: "customer" });
    },
  },
  { metadata },
) {}

export class Invoice extends model(
  "invoices",
  {
    id: integer().primaryKey(),
    day: text(),
    customerId: integer().references("customers.id").index(),
    get customer() {
      return one(Customer, { backPopulates: "invoices" });
    },
    get lines() {
      return many(Line, { backPopulates: "invoice" });
    },
  },
  { metadata },
) {}

export class Line extends model(
  "lines",
  {
    id: integer().primaryKey(),
    price: numeric(8, 2),
    units: integer(),
    invoiceId: integer().references("invoices.id").index(),
    trackId: integer().references("tracks.id").index(),
    get invoice() {
      return one(Invoice, { backPopulates: "lines" });
    },
    get track() {
      return one(Track, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

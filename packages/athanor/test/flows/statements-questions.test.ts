import { expect, test } from "vitest";
import {
  aliased,
  createAll,
  func,
  integer,
  many,
  Metadata,
  model,
  numeric,
  one,
  select,
  type Session,
  sessionmaker,
  sql,
  table,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

// A shop for recordings, of the shape of the Chinook database, and what people ask of such a thing. Each answer is compared with that of SQL written by hand.

const metadata = new Metadata();

class Artist extends model(
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

class Album extends model(
  "albums",
  {
    id: integer().primaryKey(),
    title: text(),
    year: integer(),
    artistId: integer().references("artists.id"),
    get artist() {
      return one(Artist, { backPopulates: "albums" });
    },
    get tracks() {
      return many(Track, { backPopulates: "album" });
    },
  },
  { metadata },
) {}

class Track extends model(
  "tracks",
  {
    id: integer().primaryKey(),
    name: text(),
    seconds: integer(),
    albumId: integer().references("albums.id"),
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

class Tag extends model(
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

class Customer extends model(
  "customers",
  {
    id: integer().primaryKey(),
    name: text(),
    country: text(),
    referrerId: integer().nullable().references("customers.id"),
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

class Invoice extends model(
  "invoices",
  {
    id: integer().primaryKey(),
    day: text(),
    customerId: integer().references("customers.id"),
    get customer() {
      return one(Customer, { backPopulates: "invoices" });
    },
    get lines() {
      return many(Line, { backPopulates: "invoice" });
    },
  },
  { metadata },
) {}

class Line extends model(
  "lines",
  {
    id: integer().primaryKey(),
    price: numeric(8, 2),
    units: integer(),
    invoiceId: integer().references("invoices.id"),
    trackId: integer().references("tracks.id"),
    get invoice() {
      return one(Invoice, { backPopulates: "lines" });
    },
    get track() {
      return one(Track, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

/** Numbers that look random and are the same in every run. */
function numbers(): (below: number) => number {
  let seed = 42;
  return (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
}

async function fill(session: Session): Promise<void> {
  const any = numbers();
  const of = <T>(things: readonly T[]): T => things[any(things.length)] as T;
  const artists = Array.from({ length: 20 }, (_, index) => new Artist({ name: `artist ${index % 17}` }));
  const albums = Array.from(
    { length: 60 },
    (_, index) => new Album({ title: `album ${index}`, year: 1990 + any(30), artist: of(artists) }),
  );
  const tags = ["live", "rare", "new", "old", "loud"].map((label) => new Tag({ label }));
  const tracks = Array.from(
    { length: 400 },
    (_, index) =>
      new Track({
        name: `track ${index}`,
        seconds: 60 + any(400),
        album: of(albums),
        tags: tags.filter(() => any(4) === 0),
      }),
  );
  const customers: Customer[] = [];
  for (let index = 0; index < 50; index++) {
    const referrer = index > 5 && any(3) > 0 ? of(customers) : null;
    customers.push(new Customer({ name: `customer ${index}`, country: of(["DE", "FR", "IT", "PT"]), referrer }));
  }
  const invoices = Array.from(
    { length: 300 },
    () =>
      new Invoice({ day: `2026-${String(1 + any(6)).padStart(2, "0")}-1${any(9)}`, customer: of(customers.slice(3)) }),
  );
  const lines = Array.from(
    { length: 1000 },
    () =>
      new Line({ price: `${any(20)}.${10 + any(89)}`, units: 1 + any(3), invoice: of(invoices), track: of(tracks) }),
  );
  session.addAll([...artists, ...albums, ...tags, ...tracks, ...customers, ...invoices, ...lines]);
  await session.commit();
}

type Question = readonly [question: string, ask: (session: Session) => Promise<{ all(): unknown[] }>, sql: string];

const spent = sql<number>`cast(sum(${sql.ref("lines.price")} * ${sql.ref("lines.units")}) * 100 as integer)`;

const questions: readonly Question[] = [
  [
    "the ten tracks that were sold most",
    (session) =>
      session.execute(
        select(Track)
          .join("lines")
          .groupBy((track) => [track.id, track.name])
          .orderBy((track, line) => [func.sum(line.units).desc(), track.id])
          .limit(10)
          .columns((track, line) => [track.name, func.sum(line.units)]),
      ),
    `select t.name, sum(l.units) from tracks t join lines l on l.track_id = t.id group by t.id, t.name order by sum(l.units) desc, t.id limit 10`,
  ],
  [
    "what each country spent in each month",
    (session) =>
      session.execute(
        select(Customer)
          .join("invoices")
          .join(Invoice, "lines")
          .groupBy((customer, invoice) => [customer.country, func["substr"]?.(invoice.day, 1, 7) ?? invoice.day])
          .orderBy((customer, invoice) => [customer.country, func["substr"]?.(invoice.day, 1, 7) ?? invoice.day])
          .columns((customer, invoice) => [
            customer.country,
            func["substr"]?.(invoice.day, 1, 7) ?? invoice.day,
            spent,
          ]),
      ),
    `select c.country, substr(i.day, 1, 7), cast(sum(l.price * l.units) * 100 as integer) from customers c join invoices i on i.customer_id = c.id
     join lines l on l.invoice_id = i.id group by c.country, substr(i.day, 1, 7) order by 1, 2`,
  ],
  [
    "customers who bought nothing",
    (session) =>
      session.execute(
        select(Customer)
          .outerJoin("invoices")
          .where((_, invoice) => invoice.id.isNull())
          .orderBy((customer) => customer.id)
          .columns((customer) => [customer.id]),
      ),
    `select id from customers where id not in (select customer_id from invoices) order by id`,
  ],
  [
    "the last invoice of each customer",
    (session) => {
      const later = aliased(Invoice, "later");
      return session.execute(
        select(Invoice)
          .where((invoice) =>
            invoice.id.eq(
              select(later)
                .where((other) => other.customerId.eq(invoice.customerId))
                .orderBy((other) => [other.day.desc(), other.id.desc()])
                .limit(1)
                .columns((other) => [other.id])
                .scalarSubquery(),
            ),
          )
          .orderBy((invoice) => invoice.customerId)
          .columns((invoice) => [invoice.customerId, invoice.id]),
      );
    },
    `select customer_id, id from (select customer_id, id, row_number() over (partition by customer_id order by day desc, id desc) n from invoices) x
     where n = 1 order by customer_id`,
  ],
  [
    "tracks that have one tag and not another",
    (session) =>
      session.execute(
        select(Track)
          .where((track) => track.tags.any((tag) => tag.label.eq("live")))
          .where((track) => sql<boolean>`not ${track.tags.any((tag) => tag.label.eq("rare"))}`)
          .orderBy((track) => track.id)
          .columns((track) => [track.id]),
      ),
    `select id from tracks t where exists (select 1 from track_tags x join tags g on g.id = x.tag_id where x.track_id = t.id and g.label = 'live')
     and not exists (select 1 from track_tags x join tags g on g.id = x.tag_id where x.track_id = t.id and g.label = 'rare') order by id`,
  ],
  [
    "how many tracks each tag is on, of long albums",
    (session) =>
      session.execute(
        select(Tag)
          .join("tracks")
          .join(Track, "album")
          .where((_tag, _track, album) => album.year.between(2000, 2010))
          .groupBy((tag) => tag.label)
          .having((_tag, track) => func.count(track.id).gt(3))
          .orderBy((tag) => tag.label)
          .columns((tag, track) => [tag.label, func.count(track.id)]),
      ),
    `select g.label, count(t.id) from tags g join track_tags x on x.tag_id = g.id join tracks t on t.id = x.track_id join albums a on a.id = t.album_id
     where a.year between 2000 and 2010 group by g.label having count(t.id) > 3 order by g.label`,
  ],
  [
    "the next page after a key",
    (session) =>
      session.execute(
        select(Track)
          .where((track) => sql<boolean>`(${track.seconds}, ${track.id}) > (200, 7)`)
          .orderBy((track) => [track.seconds, track.id])
          .limit(15)
          .columns((track) => [track.seconds, track.id]),
      ),
    `select seconds, id from tracks where (seconds, id) > (200, 7) order by seconds, id limit 15`,
  ],
  [
    "who referred whom, two steps up",
    (session) =>
      session.execute(
        select(Customer)
          .join("referrer")
          .join(Customer, "referrer")
          .orderBy((customer) => customer.id)
          .columns((customer, first, second) => [customer.name, first.name, second.name]),
      ),
    `select a.name, b.name, c.name from customers a join customers b on b.id = a.referrer_id join customers c on c.id = b.referrer_id order by a.id`,
  ],
  [
    "customers who referred more than one, with how many",
    (session) =>
      session.execute(
        select(Customer)
          .join("referred")
          .groupBy((customer) => [customer.id, customer.name])
          .having((_, referred) => func.count(referred.id).gt(1))
          .orderBy((customer) => customer.id)
          .columns((customer, referred) => ({ name: customer.name, referred: func.count(referred.id) })),
      ),
    `select a.name, count(b.id) from customers a join customers b on b.referrer_id = a.id group by a.id, a.name having count(b.id) > 1 order by a.id`,
  ],
  [
    "artists of one name who are several",
    (session) =>
      session.execute(
        select(Artist)
          .groupBy((artist) => artist.name)
          .having((artist) => func.count(artist.id).gt(1))
          .orderBy((artist) => artist.name)
          .columns((artist) => [artist.name, func.min(artist.id), func.max(artist.id)]),
      ),
    `select name, min(id), max(id) from artists group by name having count(*) > 1 order by name`,
  ],
  [
    "tracks longer than the mean of their album",
    (session) => {
      const other = aliased(Track, "other");
      return session.execute(
        select(Track)
          .where((track) =>
            track.seconds.gt(
              select(other)
                .where((each) => each.albumId.eq(track.albumId))
                .columns((each) => [func.avg(each.seconds)])
                .scalarSubquery(),
            ),
          )
          .orderBy((track) => track.id)
          .columns((track) => [track.id]),
      );
    },
    `select id from tracks t where seconds > (select avg(seconds) from tracks o where o.album_id = t.album_id) order by id`,
  ],
  [
    "countries with how many customers bought something tagged",
    (session) =>
      session.execute(
        select(Customer)
          .where((customer) =>
            customer.invoices.any((invoice) =>
              invoice.lines.any((line) => line.track.has((track) => track.tags.any((tag) => tag.label.eq("loud")))),
            ),
          )
          .groupBy((customer) => customer.country)
          .orderBy((customer) => customer.country)
          .columns((customer) => [customer.country, func.count(customer.id)]),
      ),
    `select c.country, count(distinct c.id) from customers c join invoices i on i.customer_id = c.id join lines l on l.invoice_id = i.id
     join track_tags x on x.track_id = l.track_id join tags g on g.id = x.tag_id where g.label = 'loud' group by c.country order by c.country`,
  ],
];

forEachDatabase((db) => {
  test("what people ask of a shop is answered as by SQL written by hand", { timeout: 60_000 }, async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    await fill(session);
    const connection = await session.connection();
    for (const [question, ask, byHand] of questions) {
      const asked = (await ask(session)).all().map((row) => (Array.isArray(row) ? row : Object.values(row as object)));
      const expected = (await connection.run(byHand)).rows.map((row) => row.map(comparable));
      expect(expected.length).toBeGreaterThan(0);
      expect([question, ...asked.map((row) => row.map(comparable))]).toEqual([question, ...expected]);
    }
  });
});

/** Drivers give some numbers as text, and Athanor does not. */
function comparable(value: unknown): string {
  return String(value);
}

import {
  aliased,
  and,
  type Attributes,
  caseWhen,
  cast,
  func,
  integer,
  joinedLoad,
  literal,
  not,
  select,
  selectinLoad,
  type Session,
  sql,
} from "../../src/index.ts";
import { derivedQuestions } from "./derived-questions.ts";
import { Album, Artist, Customer, Invoice, Line, Tag, Track } from "./models.ts";

/** What people ask of such a shop: through the API, and as SQL written by hand. The rows must be the same, in the same order. */
export interface Question {
  readonly text: string;
  ask(session: Session): Promise<readonly unknown[]>;
  readonly sql: string;
}

const centsOf = (line: Attributes<typeof Line>) => cast(func.sum(line.price.times(line.units)).times(100), integer());
const monthOf = (invoice: Attributes<typeof Invoice>) => func<string>("substr", invoice.day, 1, 7);

export const questions: readonly Question[] = [
  {
    text: "the ten tracks that were sold most",
    ask: async (session) =>
      (
        await session.execute(
          select(Track)
            .join("lines")
            .groupBy((track) => [track.id, track.name])
            .orderBy((track, line) => [func.sum(line.units).desc(), track.id])
            .limit(10)
            .columns((track, line) => [track.name, func.sum(line.units)]),
        )
      ).all(),
    sql: `select t.name, sum(l.units) from tracks t join lines l on l.track_id = t.id group by t.id, t.name order by sum(l.units) desc, t.id limit 10`,
  },
  {
    text: "what each country spent in each month",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .join("invoices")
            .join(Invoice, "lines")
            .groupBy((customer, invoice) => [customer.country, monthOf(invoice)])
            .orderBy((customer, invoice) => [customer.country, monthOf(invoice)])
            .columns((customer, invoice, line) => [customer.country, monthOf(invoice), centsOf(line)]),
        )
      ).all(),
    sql: `select c.country, substr(i.day, 1, 7), cast(sum(l.price * l.units) * 100 as integer) from customers c join invoices i on i.customer_id = c.id
     join lines l on l.invoice_id = i.id group by c.country, substr(i.day, 1, 7) order by 1, 2`,
  },
  {
    text: "customers who bought nothing",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .outerJoin("invoices")
            .where((_, invoice) => invoice.id.isNull())
            .orderBy((customer) => customer.id)
            .columns((customer) => [customer.id]),
        )
      ).all(),
    sql: `select id from customers where id not in (select customer_id from invoices) order by id`,
  },
  {
    text: "the last invoice of each customer",
    ask: async (session) => {
      const later = aliased(Invoice, "later");
      return (
        await session.execute(
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
        )
      ).all();
    },
    sql: `select customer_id, id from (select customer_id, id, row_number() over (partition by customer_id order by day desc, id desc) n from invoices) x
     where n = 1 order by customer_id`,
  },
  {
    text: "tracks that have one tag and not another",
    ask: async (session) =>
      (
        await session.execute(
          select(Track)
            .where((track) => track.tags.any((tag) => tag.label.eq("live")))
            .where((track) => sql<boolean>`not ${track.tags.any((tag) => tag.label.eq("rare"))}`)
            .orderBy((track) => track.id)
            .columns((track) => [track.id]),
        )
      ).all(),
    sql: `select id from tracks t where exists (select 1 from track_tags x join tags g on g.id = x.tag_id where x.track_id = t.id and g.label = 'live')
     and not exists (select 1 from track_tags x join tags g on g.id = x.tag_id where x.track_id = t.id and g.label = 'rare') order by id`,
  },
  {
    text: "how many tracks each tag is on, of long albums",
    ask: async (session) =>
      (
        await session.execute(
          select(Tag)
            .join("tracks")
            .join(Track, "album")
            .where((_tag, _track, album) => album.year.between(2000, 2010))
            .groupBy((tag) => tag.label)
            .having((_tag, track) => func.count(track.id).gt(3))
            .orderBy((tag) => tag.label)
            .columns((tag, track) => [tag.label, func.count(track.id)]),
        )
      ).all(),
    sql: `select g.label, count(t.id) from tags g join track_tags x on x.tag_id = g.id join tracks t on t.id = x.track_id join albums a on a.id = t.album_id
     where a.year between 2000 and 2010 group by g.label having count(t.id) > 3 order by g.label`,
  },
  {
    text: "the next page after a key",
    ask: async (session) =>
      (
        await session.execute(
          select(Track)
            .where((track) => sql<boolean>`(${track.seconds}, ${track.id}) > (200, 7)`)
            .orderBy((track) => [track.seconds, track.id])
            .limit(15)
            .columns((track) => [track.seconds, track.id]),
        )
      ).all(),
    sql: `select seconds, id from tracks where (seconds, id) > (200, 7) order by seconds, id limit 15`,
  },
  {
    text: "who referred whom, two steps up",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .join("referrer")
            .join(Customer, "referrer")
            .orderBy((customer) => customer.id)
            .columns((customer, first, second) => [customer.name, first.name, second.name]),
        )
      ).all(),
    sql: `select a.name, b.name, c.name from customers a join customers b on b.id = a.referrer_id join customers c on c.id = b.referrer_id order by a.id`,
  },
  {
    text: "customers who referred more than one, with how many",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .join("referred")
            .groupBy((customer) => [customer.id, customer.name])
            .having((_, referred) => func.count(referred.id).gt(1))
            .orderBy((customer) => customer.id)
            .columns((customer, referred) => ({ name: customer.name, referred: func.count(referred.id) })),
        )
      ).all(),
    sql: `select a.name, count(b.id) from customers a join customers b on b.referrer_id = a.id group by a.id, a.name having count(b.id) > 1 order by a.id`,
  },
  {
    text: "artists of one name who are several",
    ask: async (session) =>
      (
        await session.execute(
          select(Artist)
            .groupBy((artist) => artist.name)
            .having((artist) => func.count(artist.id).gt(1))
            .orderBy((artist) => artist.name)
            .columns((artist) => [artist.name, func.min(artist.id), func.max(artist.id)]),
        )
      ).all(),
    sql: `select name, min(id), max(id) from artists group by name having count(*) > 1 order by name`,
  },
  {
    text: "tracks longer than the mean of their album",
    ask: async (session) => {
      const other = aliased(Track, "other");
      return (
        await session.execute(
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
        )
      ).all();
    },
    sql: `select id from tracks t where seconds > (select avg(seconds) from tracks o where o.album_id = t.album_id) order by id`,
  },
  {
    text: "countries with how many customers bought something tagged",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .where((customer) =>
              customer.invoices.any((invoice) =>
                invoice.lines.any((line) => line.track.has((track) => track.tags.any((tag) => tag.label.eq("loud")))),
              ),
            )
            .groupBy((customer) => customer.country)
            .orderBy((customer) => customer.country)
            .columns((customer) => [customer.country, func.count(customer.id)]),
        )
      ).all(),
    sql: `select c.country, count(distinct c.id) from customers c join invoices i on i.customer_id = c.id join lines l on l.invoice_id = i.id
     join track_tags x on x.track_id = l.track_id join tags g on g.id = x.tag_id where g.label = 'loud' group by c.country order by c.country`,
  },
  {
    text: "a page of albums, with their artist, their tracks and the tags of those",
    ask: async (session) => {
      const page = select(Album)
        .where((album) => album.year.gte(2005))
        .orderBy((album) => [album.title, album.id])
        .limit(20)
        .options(joinedLoad(Album, "artist"), selectinLoad(Album, "tracks").selectinLoad("tags"));
      const albums = (await session.scalars(page)).all();
      return albums.flatMap((album) =>
        album.tracks
          .toSorted((left, right) => left.id - right.id)
          .flatMap((track) =>
            track.tags
              .map((tag) => tag.label)
              .toSorted()
              .map((label) => [album.title, album.artist?.name, track.name, label]),
          ),
      );
    },
    sql: `select a.title, r.name, t.name, g.label from (select * from albums where year >= 2005 order by title, id limit 20) a join artists r on r.id = a.artist_id
     join tracks t on t.album_id = a.id join track_tags x on x.track_id = t.id join tags g on g.id = x.tag_id order by a.title, a.id, t.id, g.label`,
  },
  {
    text: "albums of which nothing was sold on a day",
    ask: async (session) =>
      (
        await session.execute(
          select(Album)
            .join("artist")
            .where((album) =>
              not(album.tracks.any((track) => track.lines.any((line) => line.invoice.has({ day: "2026-01-11" })))),
            )
            .orderBy((album) => album.id)
            .columns((album, artist) => ({ album: album.title, artist: artist.name })),
        )
      ).all(),
    sql: `select a.title, r.name from albums a join artists r on r.id = a.artist_id where a.id not in (select t.album_id from tracks t join lines l on l.track_id = t.id
     join invoices i on i.id = l.invoice_id where i.day = '2026-01-11') order by a.id`,
  },
  {
    text: "what part of all units each country bought",
    ask: async (session) =>
      (
        await session.execute(
          select(Customer)
            .join("invoices")
            .join(Invoice, "lines")
            .groupBy((customer) => customer.country)
            .orderBy((customer) => customer.country)
            .columns((customer, _invoice, line) => [
              customer.country,
              func.sum(line.units),
              select(aliased(Line, "every"))
                .columns((every) => [func.sum(every.units)])
                .scalarSubquery(),
            ]),
        )
      ).all(),
    sql: `select c.country, sum(l.units), (select sum(units) from lines) from customers c join invoices i on i.customer_id = c.id join lines l on l.invoice_id = i.id
     group by c.country order by c.country`,
  },
  {
    text: "what was spent in each month, in all months up to it, and how much more than in the month before",
    ask: async (session) =>
      (
        await session.execute(
          select(Invoice)
            .join("lines")
            .groupBy((invoice) => monthOf(invoice))
            .orderBy((invoice) => monthOf(invoice))
            .columns((invoice, line) => {
              const spent = centsOf(line);
              const inOrder = { orderBy: monthOf(invoice) };
              return {
                month: monthOf(invoice),
                spent,
                soFar: func.sum(spent).over(inOrder),
                more: spent.minus(func.lag(spent, 1, 0).over(inOrder)),
              };
            }),
        )
      ).all(),
    sql: `with months as (select substr(i.day, 1, 7) as month, cast(sum(l.price * l.units) * 100 as integer) as spent from invoices i join lines l on l.invoice_id = i.id group by 1)
     select month, spent, sum(spent) over (order by month), spent - lag(spent, 1, 0) over (order by month) from months order by month`,
  },
  {
    text: "how many lines are cheap, dear or between",
    ask: async (session) => {
      const band = (line: Attributes<typeof Line>) =>
        caseWhen(line.price.lt("5"), "cheap").when(line.price.gte("15"), "dear").else("between");
      const counted = select(Line)
        .groupBy(band)
        .orderBy(band)
        .columns((line) => [band(line), func.count(), func.count().filter(line.units.gt(1))]);
      return (await session.execute(counted)).all();
    },
    sql: `select case when price < 5 then 'cheap' when price >= 15 then 'dear' else 'between' end as band, count(*), sum(case when units > 1 then 1 else 0 end)
     from lines group by band order by band`,
  },
  {
    text: "artists with the number of units sold of their tracks, as instances",
    ask: async (session) => {
      const units = select(Artist)
        .join("albums")
        .join(Album, "tracks")
        .join(Track, "lines")
        .groupBy((artist) => [artist.id, artist.name])
        .orderBy((artist, _album, _track, line) => [func.sum(line.units).desc(), artist.id])
        .limit(10)
        .columns((artist, _album, _track, line) => ({ artist, units: func.sum(line.units) }));
      return (await session.execute(units)).all().map(({ artist, units: sold }) => [artist.name, artist.id, sold]);
    },
    sql: `select r.name, r.id, sum(l.units) from artists r join albums a on a.artist_id = r.id join tracks t on t.album_id = a.id join lines l on l.track_id = t.id
     group by r.id, r.name order by 3 desc, 2 limit 10`,
  },
  {
    text: "everybody whom a customer brought, however indirectly, and over how many others",
    ask: async (session) => {
      const brought = select(Customer)
        .where((customer) => customer.referrerId.isNull())
        .columns((customer) => ({ customer, root: customer.id, steps: literal(0) }))
        .cte("brought", {
          unionAll: (found) =>
            select(Customer)
              .join(found, (customer, by) => customer.referrerId.eq(by.customer.id))
              .columns((customer, by) => ({ customer, root: by.root, steps: by.steps.plus(1) })),
        });
      const tree = select(brought).orderBy((row) => [row.root, row.steps, row.customer.id]);
      return (await session.execute(tree)).all().map(({ customer, root, steps }) => [root, steps, customer.name]);
    },
    sql: `with recursive brought as (select id, name, id as root, 0 as steps from customers where referrer_id is null
     union all select c.id, c.name, b.root, b.steps + 1 from customers c join brought b on c.referrer_id = b.id) select root, steps, name from brought order by root, steps, id`,
  },
  {
    text: "the three customers of each country who spent most",
    ask: async (session) => {
      const spent = select(Customer)
        .join("invoices")
        .join(Invoice, "lines")
        .groupBy((customer) => [customer.id, customer.name, customer.country])
        .columns((customer, _invoice, line) => ({
          id: customer.id,
          name: customer.name,
          country: customer.country,
          cents: centsOf(line),
        }))
        .cte("spent");
      const ranked = select(spent)
        .columns((row) => ({
          country: row.country,
          name: row.name,
          cents: row.cents,
          place: func.rowNumber().over({ partitionBy: row.country, orderBy: [row.cents.desc(), row.id] }),
        }))
        .subquery("ranked");
      const first = select(ranked)
        .where((row) => row.place.lte(3))
        .orderBy((row) => [row.country, row.place]);
      return (await session.execute(first)).all();
    },
    sql: `select country, name, cents, place from (select c.country, c.name, cast(sum(l.price * l.units) * 100 as integer) as cents,
     row_number() over (partition by c.country order by cast(sum(l.price * l.units) * 100 as integer) desc, c.id) as place
     from customers c join invoices i on i.customer_id = c.id join lines l on l.invoice_id = i.id group by c.id, c.name, c.country) r where place <= 3 order by country, place`,
  },
  {
    text: "customers who bought in January and not in February",
    ask: async (session) => {
      const buyersIn = (month: string) =>
        select(Customer).where((customer) => customer.invoices.any((invoice) => invoice.day.like(`${month}-%`)));
      const lost = buyersIn("2026-01")
        .except(buyersIn("2026-02"))
        .orderBy((customer) => customer.id);
      return (await session.scalars(lost)).all().map((customer) => [customer.id, customer.name]);
    },
    sql: `select id, name from customers where id in (select customer_id from invoices where day like '2026-01-%')
     and id not in (select customer_id from invoices where day like '2026-02-%') order by id`,
  },
  {
    text: "the newest invoice of each customer, with its lines and their tracks",
    ask: async (session) => {
      const numbered = select(Invoice)
        .columns((invoice) => ({
          invoice,
          place: func
            .rowNumber()
            .over({ partitionBy: invoice.customerId, orderBy: [invoice.day.desc(), invoice.id.desc()] }),
        }))
        .subquery("numbered");
      const newest = select(numbered)
        .where((row) => and(row.place.eq(1), row.invoice.customerId.lte(100)))
        .orderBy((row) => row.invoice.customerId)
        .columns((row) => [row.invoice])
        .options(selectinLoad(Invoice, "lines").joinedLoad("track"));
      return (await session.scalars(newest))
        .all()
        .flatMap((invoice) =>
          invoice.lines
            .toSorted((left, right) => left.id - right.id)
            .map((line) => [invoice.customerId, invoice.id, line.units, line.track?.name]),
        );
    },
    sql: `select n.customer_id, n.id, l.units, t.name from (select i.*, row_number() over (partition by customer_id order by day desc, id desc) as place from invoices i) n
     join lines l on l.invoice_id = n.id join tracks t on t.id = l.track_id where n.place = 1 and n.customer_id <= 100 order by n.customer_id, l.id`,
  },
  {
    text: "tracks that were bought together most often",
    ask: async (session) => {
      const together = select(Line)
        .join(aliased(Line, "other"), (line, other) =>
          and(other.invoiceId.eq(line.invoiceId), other.trackId.gt(line.trackId)),
        )
        .groupBy((line, other) => [line.trackId, other.trackId])
        .orderBy((line, other) => [func.count().desc(), line.trackId, other.trackId])
        .limit(20)
        .columns((line, other) => [line.trackId, other.trackId, func.count()]);
      return (await session.execute(together)).all();
    },
    sql: `select a.track_id, b.track_id, count(*) from lines a join lines b on b.invoice_id = a.invoice_id and b.track_id > a.track_id
     group by a.track_id, b.track_id order by 3 desc, 1, 2 limit 20`,
  },
  {
    text: "names of artists, tags and countries in one list",
    ask: async (session) => {
      const names = select(Artist)
        .columns((artist) => ({ kind: literal("artist"), name: artist.name }))
        .union(
          select(Tag).columns((tag) => ({ kind: literal("tag"), name: tag.label })),
          select(Customer).columns((customer) => ({ kind: literal("country"), name: customer.country })),
        );
      return (await session.execute(names.orderBy((row) => [row.kind, row.name]).limit(40))).all();
    },
    sql: `select 'artist' as kind, name from artists union select 'tag', label from tags union select 'country', country from customers order by kind, name limit 40`,
  },
  ...derivedQuestions,
];

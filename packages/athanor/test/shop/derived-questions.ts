import { containsEager, func, select, sql } from "../../src/index.ts";
import { Artist, Invoice, Line, Tag, Track } from "./models.ts";
import type { Question } from "./questions.ts";

const bought = (country: string) =>
  select(Track)
    .join("lines")
    .join(Line, "invoice")
    .join(Invoice, "customer")
    .where((_track, _line, _invoice, customer) => customer.country.eq(country));

const boughtByHand = (country: string) =>
  `select t.id, t.name from tracks t join lines l on l.track_id = t.id join invoices i on i.id = l.invoice_id join customers c on c.id = i.customer_id where c.country = '${country}'`;

/** Questions whose answers are found in what another statement finds. */
export const derivedQuestions: readonly Question[] = [
  {
    text: "the two tracks of each tag that were sold most",
    ask: async (session) => {
      const sold = select(Line)
        .groupBy((line) => line.trackId)
        .columns((line) => ({ trackId: line.trackId, units: func.sum(line.units) }))
        .cte("sold");
      const ranked = select(Tag)
        .join("tracks")
        .join(sold, (_tag, track, row) => row.trackId.eq(track.id))
        .columns((tag, track, row) => ({
          tag,
          track: track.name,
          units: row.units,
          place: func.rowNumber().over({ partitionBy: tag.id, orderBy: [row.units.desc(), track.id] }),
        }))
        .subquery("ranked");
      const best = select(ranked)
        .where((row) => row.place.lte(2))
        .orderBy((row) => [row.tag.label, row.place]);
      return (await session.execute(best))
        .all()
        .map(({ tag, track, units, place }) => [tag.label, place, track, units]);
    },
    sql: `with sold as (select track_id, sum(units) as units from lines group by track_id)
     select label, place, name, units from (select g.label, t.name, s.units,
       row_number() over (partition by g.id order by s.units desc, t.id) as place
     from tags g join track_tags x on x.tag_id = g.id join tracks t on t.id = x.track_id join sold s on s.track_id = t.id) ranked
     where place <= 2 order by label, place`,
  },
  {
    text: "the first tracks that two countries have both bought, and a third one has not",
    ask: async (session) => {
      const tracks = bought("FR")
        .intersect(bought("IT"))
        .except(bought("PT"))
        .orderBy((track) => track.id)
        .limit(20);
      return (await session.scalars(tracks)).all().map(({ id, name }) => [id, name]);
    },
    sql: `select id, name from (select * from (${["FR", "IT"].map(boughtByHand).join(" intersect ")}) both_have except ${boughtByHand("PT")}) tracks order by id limit 20`,
  },
  {
    text: "artists of long tracks, with their albums of those and these tracks only",
    ask: async (session) => {
      const artists = await session.scalars(
        select(Artist)
          .join("albums")
          .join(Track, (_artist, album, track) => track.albumId.eq(album.id))
          .where((_artist, _album, track) => track.seconds.gte(440))
          .orderBy((artist, album, track) => [artist.name, artist.id, album.id, track.id])
          .options(containsEager(Artist, "albums").containsEager("tracks"))
          .executionOptions({ populateExisting: true }),
      );
      return artists
        .all()
        .flatMap(({ name, albums }) =>
          albums.flatMap(({ title, tracks }) => tracks.map((track) => [name, title, track.name])),
        );
    },
    sql: `select r.name, a.title, t.name from artists r join albums a on a.artist_id = r.id join tracks t on t.album_id = a.id where t.seconds >= 440
     order by r.name, r.id, a.id, t.id`,
  },
  {
    text: "tracks that a text search of the program's own finds, as instances",
    ask: async (session) => {
      const written = sql`select * from tracks where name like ${"%1%"} and seconds > ${300} order by id limit 20`;
      return (await session.scalars(select(Track).fromStatement(written))).all().map(({ id, name }) => [id, name]);
    },
    sql: `select id, name from tracks where name like '%1%' and seconds > 300 order by id limit 20`,
  },
];

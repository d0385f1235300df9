import type { Session } from "../../src/index.ts";
import { seededRandom } from "../seeded-random.ts";
import { Album, Artist, Customer, Invoice, Line, Tag, Track } from "./models.ts";

/**
 * Fills the shop. At scale 1 it has some two thousand rows, and in proportion at another one; the same every time.
 *
 * @returns how many rows
 */
export async function fill(session: Session, scale: number): Promise<number> {
  const below = seededRandom(42);
  const of = <T>(things: readonly T[]): T => things[below(things.length)] as T;
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count * scale }, (_, index) => make(index));
  const artists = many(20, (index) => new Artist({ name: `artist ${index % (17 * scale)}` }));
  const albums = many(
    60,
    (index) => new Album({ title: `album ${index}`, year: 1990 + below(30), artist: of(artists) }),
  );
  const tags = ["live", "rare", "new", "old", "loud"].map((label) => new Tag({ label }));
  const tracks = many(
    400,
    (index) =>
      new Track({
        name: `track ${index}`,
        seconds: 60 + below(400),
        album: of(albums),
        tags: tags.filter(() => below(4) === 0),
      }),
  );
  const customers: Customer[] = [];
  for (let index = 0; index < 50 * scale; index++) {
    const referrer = index > 5 && below(3) > 0 ? of(customers) : null;
    customers.push(new Customer({ name: `customer ${index}`, country: of(["DE", "FR", "IT", "PT"]), referrer }));
  }
  // The first few bought nothing.
  const buyers = customers.slice(3);
  const invoices = many(
    300,
    () => new Invoice({ day: `2026-${String(1 + below(6)).padStart(2, "0")}-1${below(9)}`, customer: of(buyers) }),
  );
  const lines = many(
    1000,
    () =>
      new Line({
        price: `${below(20)}.${10 + below(89)}`,
        units: 1 + below(3),
        invoice: of(invoices),
        track: of(tracks),
      }),
  );
  const instances = [artists, albums, tags, tracks, customers, invoices, lines].flat();
  const links = tracks.reduce((count, track) => count + track.tags.length, 0);
  session.addAll(instances);
  await session.flush();
  return instances.length + links;
}

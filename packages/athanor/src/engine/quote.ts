/** Writes a name as SQL takes it on all our databases, whatever characters it has. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Holds together what must not be broken over two lines. */
const stickySpace = "\u00a0";

/** Keeps a text on one line when it is wrapped. */
export function unbroken(text: string): string {
  return text.replaceAll(" ", stickySpace);
}

/** Breaks a text between words into lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((wrapped) => wrapped.replaceAll(stickySpace, " "));
}

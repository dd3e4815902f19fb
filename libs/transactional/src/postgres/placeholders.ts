// Statements with `$1`, `$2` … for drivers that know only question marks.

/** The statement with question marks, and a value for each: a number that stands twice gives two. */
export function questionMarks(text: string, values: readonly unknown[]): [text: string, values: never[]] {
  const inOrder: unknown[] = [];
  const marked = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
    inOrder.push(values[Number(number) - 1]);
    return '?';
  });
  return [marked, inOrder as never[]];
}

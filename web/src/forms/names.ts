/** What instances of an account are called, as the node calls them. */

/** A letter, then letters, digits, strokes and underscores. */
export const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;

/** A nameless one is called as its strategy, with a number behind it where others have that name. */
export function namesOf(instances: readonly { name: string; strategy: string }[]): string[] {
  const taken = new Set(instances.map(({ name }) => name).filter(Boolean));
  return instances.map(({ name, strategy }) => {
    let [called, number] = [name || strategy, 1];
    while (!name && taken.has(called)) {
      number += 1;
      called = `${strategy}-${number}`;
    }
    taken.add(called);
    return called;
  });
}

// The keyboard in the table: one tab stop, arrows inside (the grid pattern of the ARIA guide).

/** The letter on the key: what it types if that is Latin, else what is printed there on a Latin keyboard. */
export function letterOf({key, code}) {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  return code.startsWith("Key") ? code.slice(3).toLowerCase() : "";
}

/** `/`, or the same key under a Russian layout, where it types a full stop. */
export const isSlash = ({key, code}) => key === "/" || (code === "Slash" && key === ".");

const withModifier = event => event.ctrlKey || event.metaKey || event.altKey;

/**
 * @param {HTMLElement} grid
 * @param {{move: (by: number) => void, goTo: (index: number) => void, page: () => number, letter: (key: string, letter: string) => boolean, select: (key: string) => void}} hands
 */
export function listenToKeys(grid, hands) {
  grid.addEventListener("keydown", event => {
    if (withModifier(event)) return;
    const inHead = event.target.closest("th");
    const handled = inHead ? moveInHead(event, hands) : moveInRows(event, hands);
    if (handled) event.preventDefault();
  });
}

function moveInHead(event, hands) {
  const buttons = [...event.target.closest("tr").querySelectorAll("button")];
  const at = buttons.indexOf(event.target);
  const next = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1}[event.key];
  if (next !== undefined) return focus(buttons[next]);
  if (event.key !== "ArrowDown") return false;
  hands.goTo(0);
  return true;
}

function moveInRows(event, hands) {
  const row = event.target.closest("tr[data-key]");
  if (!row) return false;
  const step = {ArrowUp: -1, ArrowDown: 1, PageUp: -hands.page(), PageDown: hands.page(), Home: -Infinity, End: Infinity}[event.key];
  if (step !== undefined) return hands.move(step), true;
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") return moveInRow(event, row);
  if (event.key === "Enter" && event.target === row) return hands.select(row.dataset.key), true;
  const letter = letterOf(event);
  if (letter === "j" || letter === "k") return hands.move(letter === "j" ? 1 : -1), true;
  return Boolean(letter) && !event.repeat && hands.letter(row.dataset.key, letter);
}

/** From the row to its buttons and back. */
function moveInRow(event, row) {
  const stops = [row, ...row.querySelectorAll("[role=toolbar] button")];
  return focus(stops[stops.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)]);
}

function focus(element) {
  element?.focus();
  return Boolean(element);
}

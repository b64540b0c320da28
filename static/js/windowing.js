// Which rows of many to draw. Pure.

const MARGIN = 6; // rows beyond each edge, so that a quick scroll meets rows and not blank paper

/**
 * The rows in view, the one with the focus wherever it is, and the gaps between.
 * @returns {({index: number} | {gap: number})[]}
 */
export function visibleParts({total, top, height, rowHeight, keep}) {
  const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
  const last = Math.min(total, Math.ceil((top + height) / rowHeight) + MARGIN);
  const indexes = [];
  if (keep >= 0 && keep < Math.min(first, total)) indexes.push(keep);
  for (let i = first; i < last; i += 1) indexes.push(i);
  if (keep >= last && keep < total && keep >= first) indexes.push(keep);
  return withGaps(indexes, total);
}

function withGaps(indexes, total) {
  const parts = [];
  let next = 0;
  for (const index of indexes) {
    if (index > next) parts.push({gap: index - next});
    parts.push({index});
    next = index + 1;
  }
  if (total > next) parts.push({gap: total - next});
  return parts;
}

import {html} from "../vendor/lit-3.3.3.js";

// The sprite's address carries a hash that only the server knows: the page brings it.
const sprite = document.documentElement.dataset.icons;

/** An outline icon. It never speaks for itself: a word stands beside it. */
export function icon(name, extra = "") {
  return html`<svg class="i ${extra}" aria-hidden="true"><use href="${sprite}#${name}"></use></svg>`;
}

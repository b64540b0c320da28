// How many there are of each thing now, beside its name in the navigation. On every board.

import {Painter} from "./painter.js";

/** @type {Object<string, (store: import("./store.js").Store) => number>} */
const COUNTS = {
  calls: store => [...store.entities("call").values()].filter(({phase}) => phase !== "ended").length,
  conferences: store => store.entities("room").size,
};

/** @param {import("./store.js").Store} store */
export function countInRail(store) {
  const places = [...document.querySelectorAll("[data-count]")].filter(({dataset}) => dataset.count in COUNTS);
  const painter = new Painter(() => {
    for (const place of places) {
      const text = String(COUNTS[place.dataset.count](store));
      if (place.textContent !== text) place.textContent = text;
    }
  });
  store.subscribe(() => painter.soon());
}

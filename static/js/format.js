// How things are written. Pure.

const LONGEST = 64;

// Control characters, and the marks that turn the direction of text: in a caller's name they can only deceive.
const UNPRINTABLE = /[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** A stranger's text, made harmless to read. It is still text: bind it, never parse it. */
export function clean(text) {
  const shown = String(text ?? "").replace(UNPRINTABLE, "\uFFFD");
  const letters = [...shown.slice(0, LONGEST * 2)];
  return letters.length > LONGEST ? letters.slice(0, LONGEST - 1).join("") + "…" : letters.join("");
}

const two = n => String(n).padStart(2, "0");

/** 65_000 → "01:05", 3_661_000 → "1:01:01". */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** The time of day; 24 hours in every language, as on a PBX's own log. */
export function timeOfDay(ms, {seconds = false} = {}) {
  const parts = {hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && {second: "2-digit"})};
  return new Date(ms).toLocaleTimeString(document.documentElement.lang, parts);
}

/** What a search compares: lower case, and numbers without their dashes and brackets. */
export function searchable(text) {
  return String(text ?? "").toLowerCase().replace(/(?<=[\d+)(])[\s().-]+(?=[\d)(])/g, "").replace(/[()]/g, "");
}

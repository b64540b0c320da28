// How true is what we show of a PBX? Pure: everything comes in.

export const DELAYED_AFTER = 3_000;
export const STALE_AFTER = 6_000;
const SNAPSHOT_WITHIN = 1_000; // after a gap; greying the table for the few milliseconds that it takes would only flicker

/**
 * The longer of two silences: the panel's towards this page, and the PBX's towards the panel. They are not added:
 * both tick every two seconds when all is well, and their sum would cry wolf on a quiet night.
 * @param {import("./store.js").Pbx} pbx
 */
export function ageOf(pbx, now) {
  const silence = now - pbx.heardAt;
  const pbxSilence = pbx.age < DELAYED_AFTER ? pbx.age : pbx.age + silence;
  return Math.max(silence, pbxSilence);
}

/** @returns {{level: "live"|"delayed"|"stale", age: number, why: ""|"socket"|"link"|"age"|"snapshot"}} */
export function healthOf(pbx, socketState, now) {
  const age = ageOf(pbx, now);
  if (socketState !== "open") return {level: "stale", age, why: "socket"};
  if (pbx.link?.phase !== "live") return {level: "stale", age, why: "link"};
  if (age >= STALE_AFTER) return {level: "stale", age, why: "age"};
  if (!pbx.epoch || (!pbx.ready && now - pbx.lostAt > SNAPSHOT_WITHIN)) return {level: "stale", age, why: "snapshot"};
  if (age >= DELAYED_AFTER) return {level: "delayed", age, why: "age"};
  return {level: "live", age, why: ""};
}

// Everything that the panel's own modules use of lit: one name here, one bundle in static/vendor.
export {LitElement, html, nothing, render} from "lit";
export {repeat} from "lit/directives/repeat.js";

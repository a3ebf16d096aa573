// What of Observable Plot the pages draw with; the rest is left out of assets/vendor/plot.js.
export {
  areaY, axisX, axisY, barY, dot, gridX, gridY, lineY, plot, pointer, pointerX, rectX, rectY, ruleX, ruleY, text, tickX, tip,
} from "@observablehq/plot";

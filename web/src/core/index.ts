/** From bytes to a measurement: all that the page may import. For research use, not a medical device. */
export { ageText } from "./biometry";
export { csvOf } from "./csv";
export { circumference, normalEllipse, pointsOf } from "./ellipse";
export { InputError } from "./errors";
export { readFrame } from "./frame";
export { EDITED, measure, measureEdited, unread } from "./measurement";
export { Network } from "./network";
export type * from "./types";

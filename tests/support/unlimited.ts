/** All clients of a test come from one address. */
export const UNLIMITED = { CONNECT_RATE: "off", HTTP_RATE: "off" };

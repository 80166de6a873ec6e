// The part of jpeg-js that decodes; the package declares its whole only.
declare module "jpeg-js/lib/decoder.js" {
  interface Decoded {
    readonly width: number;
    readonly height: number;
    readonly data: Uint8Array;
  }
  export default function decode(bytes: Uint8Array, options: Readonly<Record<string, unknown>>): Decoded;
}

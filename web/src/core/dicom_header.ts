/** The values of a DICOM data set by the names of its attributes. */
import type { DataSet, Element } from "dicom-parser";

/** Tag and value representation of the attributes that are read; files that name another one are believed. */
const ATTRIBUTES = {
  TransferSyntaxUID: ["x00020010", "UI"],
  SOPClassUID: ["x00080016", "UI"],
  Modality: ["x00080060", "CS"],
  SequenceOfUltrasoundRegions: ["x00186011", "SQ"],
  RegionSpatialFormat: ["x00186012", "US"],
  RegionDataType: ["x00186014", "US"],
  RegionLocationMinX0: ["x00186018", "UL"],
  RegionLocationMinY0: ["x0018601a", "UL"],
  RegionLocationMaxX1: ["x0018601c", "UL"],
  RegionLocationMaxY1: ["x0018601e", "UL"],
  PhysicalUnitsXDirection: ["x00186024", "US"],
  PhysicalUnitsYDirection: ["x00186026", "US"],
  PhysicalDeltaX: ["x0018602c", "FD"],
  PhysicalDeltaY: ["x0018602e", "FD"],
  NominalScannedPixelSpacing: ["x00182010", "DS"],
  ImagerPixelSpacing: ["x00181164", "DS"],
  SamplesPerPixel: ["x00280002", "US"],
  PhotometricInterpretation: ["x00280004", "CS"],
  PlanarConfiguration: ["x00280006", "US"],
  NumberOfFrames: ["x00280008", "IS"],
  Rows: ["x00280010", "US"],
  Columns: ["x00280011", "US"],
  PixelSpacing: ["x00280030", "DS"],
  BitsAllocated: ["x00280100", "US"],
  BitsStored: ["x00280101", "US"],
  PixelRepresentation: ["x00280103", "US"],
  WindowCenter: ["x00281050", "DS"],
  WindowWidth: ["x00281051", "DS"],
  RescaleIntercept: ["x00281052", "DS"],
  RescaleSlope: ["x00281053", "DS"],
  RedPaletteColorLookupTableDescriptor: ["x00281101", "US"],
  GreenPaletteColorLookupTableDescriptor: ["x00281102", "US"],
  BluePaletteColorLookupTableDescriptor: ["x00281103", "US"],
  RedPaletteColorLookupTableData: ["x00281201", "OW"],
  GreenPaletteColorLookupTableData: ["x00281202", "OW"],
  BluePaletteColorLookupTableData: ["x00281203", "OW"],
  VOILUTFunction: ["x00281056", "CS"],
  ModalityLUTSequence: ["x00283000", "SQ"],
  LUTDescriptor: ["x00283002", "US"],
  LUTData: ["x00283006", "OW"],
  VOILUTSequence: ["x00283010", "SQ"],
  PixelData: ["x7fe00010", "OW"],
} as const satisfies Record<string, readonly [string, string]>;

export type Attribute = keyof typeof ATTRIBUTES;

const SIZES: Readonly<Record<string, number>> = { US: 2, SS: 2, OW: 2, UL: 4, SL: 4, FL: 4, FD: 8 };

/** A data set, or an item of a sequence. */
export class Header {
  constructor(readonly data: DataSet) {}

  has(attribute: Attribute): boolean {
    return this.element(attribute) !== undefined;
  }

  element(attribute: Attribute): Element | undefined {
    return this.data.elements[ATTRIBUTES[attribute][0]];
  }

  /** The text of an attribute, without blanks about it; empty where there is none. */
  text(attribute: Attribute): string {
    return (this.data.string(ATTRIBUTES[attribute][0]) ?? "").replace(/\0+$/, "").trim();
  }

  /** The numbers of an attribute, NaN for what is none; empty where there is no such attribute, or it is empty. */
  numbers(attribute: Attribute): number[] {
    const [tag, usual] = ATTRIBUTES[attribute];
    const element = this.element(attribute);
    if (element === undefined || element.length === 0) return [];
    const representation = element.vr ?? usual;
    const size = SIZES[representation];
    if (size === undefined) {
      const text = this.text(attribute);
      return text === "" ? [] : text.split("\\").map((part) => (part.trim() === "" ? NaN : Number(part)));
    }
    const read = {
      US: this.data.uint16,
      OW: this.data.uint16,
      SS: this.data.int16,
      UL: this.data.uint32,
      SL: this.data.int32,
      FL: this.data.float,
      FD: this.data.double,
    }[representation]!;
    const count = Math.floor(element.length / size);
    return Array.from({ length: count }, (_, index) => read.call(this.data, tag, index) ?? NaN);
  }

  /** The first number of an attribute; `otherwise` where there is none. */
  number(attribute: Attribute, otherwise = NaN): number {
    return this.numbers(attribute)[0] ?? otherwise;
  }

  /** The bytes of an attribute as they are stored; none where there is no such attribute. */
  bytes(attribute: Attribute): Uint8Array {
    const { dataOffset, length } = this.element(attribute) ?? { dataOffset: 0, length: 0 };
    return this.data.byteArray.subarray(dataOffset, dataOffset + length);
  }

  /** The items of a sequence. */
  items(attribute: Attribute): Header[] {
    const items = this.element(attribute)?.items ?? [];
    return items.flatMap((item) => (item.dataSet ? [new Header(item.dataSet)] : []));
  }
}

/** The exported network: a grey image in, the head's ellipse and its quality out, as `fetal_seg`'s `Predictor`. */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { exported } from "./constants";
import { fitHead, type HeadFit, meanProbability } from "./ellipse_fit";
import { InputError } from "./errors";
import { greyQuantiles } from "./grey_values";
import { headProbability, type Level } from "./head_gate";
import { Letterbox } from "./letterbox";
import { dilated } from "./mask";
import { turnedBack } from "./measurement";
import { readMetadata } from "./metadata";
import { noveltyScore } from "./novelty";
import { isHead } from "./quality";
import type { Grey, NetworkMetadata, OrtModule, Prediction, Quality } from "./types";

const ABOUT = 4; // px about the region, in which its contrast is looked at
const CONTRAST = [0.05, 0.95]; // quantiles of the grey values there

/** What the network makes of an image at its size. */
interface Look {
  readonly logits: Float32Array;
  readonly levels: readonly Level[];
}

/** The exported network, ready to look at images. */
export class Network {
  private constructor(
    private readonly session: InferenceSession,
    private readonly runtime: OrtModule,
    readonly metadata: NetworkMetadata,
  ) {}

  /** @throws InputError the model is damaged, or not of this program. */
  static async load(model: Uint8Array, runtime: OrtModule): Promise<Network> {
    const metadata = readMetadata(model);
    try {
      return new Network(await runtime.InferenceSession.create(model), runtime, metadata);
    } catch (error) {
      throw new InputError(`the network cannot be started here (${String(error)}); take a newer browser`);
    }
  }

  /** Finds the head. Where none is found, the picture is turned by a quarter and looked at again. */
  async predict(image: Grey): Promise<Prediction> {
    const first = await this.find(image);
    if (first.ellipse !== null) return first;
    const second = turnedBack(await this.find(quarterTurned(image)), image.width, this.metadata);
    return second.ellipse === null ? first : second;
  }

  private async find(image: Grey): Promise<Prediction> {
    if (image.data.every((value) => value === image.data[0])) return { ellipse: null, quality: null };
    const { height, width } = this.metadata;
    const letterbox = new Letterbox(height, width);
    const framed = letterbox.apply(image);
    const { logits, levels } = await this.look(framed);
    const toNative = letterbox.toNative(image.height, image.width);
    const fit = fitHead(logits, width, height, toNative, image.width, image.height);
    if (fit === null) return { ellipse: null, quality: null };
    const quality = this.qualityOf(framed, logits, levels, fit);
    return { ellipse: isHead(quality, this.metadata) ? fit.ellipse : null, quality };
  }

  private async look(framed: Grey): Promise<Look> {
    const images = new this.runtime.Tensor("uint8", framed.data, [1, framed.height, framed.width]);
    const outputs = await this.session.run({ [exported.INPUT]: images });
    const [logits, ...features] = this.session.outputNames.map((name) => outputs[name]!);
    return { logits: numbersOf(logits!), levels: features.map(levelOf) };
  }

  private qualityOf(framed: Grey, logits: Float32Array, levels: readonly Level[], fit: HeadFit): Quality {
    const { appearance, gate } = this.metadata;
    const about = dilated(fit.region, ABOUT);
    const [low, high] = greyQuantiles(framed.data.filter((_, index) => about.data[index] === 1), CONTRAST);
    return {
      confidence: meanProbability(logits, fit.region),
      agreement: fit.agreement,
      cut: fit.cut,
      contrast: high! - low!,
      novelty: appearance && noveltyScore(framed, fit.region, appearance),
      headProbability: gate && headProbability(gate, levels, fit.region),
      turned: false,
    };
  }
}

/** The picture turned by a quarter against the clock. */
function quarterTurned({ data, width, height }: Grey): Grey {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) turned[y * height + x] = data[x * width + (width - 1 - y)]!;
  }
  return { data: turned, width: height, height: width };
}

function levelOf(features: Tensor): Level {
  const [, channels, height, width] = features.dims as [number, number, number, number];
  return { data: numbersOf(features), channels, height, width };
}

function numbersOf(tensor: Tensor): Float32Array {
  if (!(tensor.data instanceof Float32Array)) throw new TypeError(`the network gives ${tensor.type}, not float32`);
  return tensor.data;
}

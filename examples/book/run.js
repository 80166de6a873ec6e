// The chapter on quantizing and fine-tuning on a device, line by line: the chapter's Python as comments, and what it is here
// below each. A model of one layer, trained elsewhere, comes to a device whose sensors differ from those it learned on; there
// it is quantized to int8 and fine-tuned as such. Run it with `node examples/book/run.js` after `npm ci`.

import { evaluate, load, save, tensor } from "../../build/index.js";
import {
  crossEntropyLoss,
  DataLoader,
  DeQuantStub,
  Linear,
  Module,
  QuantStub,
  quantizeDynamic,
  SGD,
  trainable,
} from "../../build/nn.js";
import { load as loadOnDevice } from "../../build/runtime.js";
import { formatPercent, formatTable } from "../../build/terminal.js";

// class Model(nn.Module):
//     def __init__(self):
//         super(Model, self).__init__()
//         self.quant = QuantStub()
//         self.fc = nn.Linear(10, 10)
//         self.dequant = DeQuantStub()
//
//     def forward(self, x):
//         x = self.quant(x)
//         x = self.fc(x)
//         x = self.dequant(x)
//         return x
class Model extends Module {
  quant = new QuantStub();
  fc = new Linear(10, 10);
  dequant = new DeQuantStub();

  forward(x) {
    x = this.quant.forward(x);
    x = this.fc.forward(x);
    x = this.dequant.forward(x);
    return x;
  }
}

// model = Model()
const model = new Model().initialize(1);

// Ten classes of ten readings each: a class has a centre, and readings scatter around it. The makers' sensors are new; those of
// the device are worn, each by a gain and an offset of its own.
const random = randomNumbers(1);
const between = (lo, hi) => lo + (hi - lo) * random();
const tenOf = (make) => Array.from({ length: 10 }, make);
const centres = tenOf(() => tenOf(() => between(-1, 1)));
const wear = tenOf(() => ({ gain: between(0.4, 1.4), offset: between(-0.8, 0.8) }));
const makersLoader = new DataLoader(samplesOf(2000, false), { batchSize: 32, shuffle: true });
const trainLoader = new DataLoader(samplesOf(1000, true), { batchSize: 32, shuffle: true });
const testLoader = new DataLoader(samplesOf(1000, true), { batchSize: 32 });

// The chapter begins with a model that is trained. This one is now, in float, by the loop that comes below.
const makersModel = trainable(model);
train(makersModel, new SGD(makersModel.parameters(), { lr: 0.1 }), makersLoader);
model.loadStateDict(makersModel.graph().constants);

// model.eval()
// quantized_model = torch.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
model.eval();
const quantizedModel = await quantizeDynamic(model, { Linear }, "qint8");
const untuned = quantizedModel.graph();

// optimizer = torch.optim.SGD(quantized_model.parameters(), lr=1e-5)
//
// The chapter's 1e-5 is meant for long training: in the 320 steps of this example it moves none of the 100 weight codes.
const optimizer = new SGD(quantizedModel.parameters(), { lr: 0.1 });
train(quantizedModel, optimizer, trainLoader, report);

// The rest of the loop, in a function because the makers have it, too:
function train(trained, optimizer, loader, report = () => {}) {
  // criterion = nn.CrossEntropyLoss()
  const criterion = crossEntropyLoss();
  // for epoch in range(10):
  for (let epoch = 1; epoch <= 10; epoch++) {
    let sum = 0;
    //     quantized_model.train()
    trained.train();
    //     for inputs, labels in train_loader:
    for (const [inputs, labels] of loader) {
      //         optimizer.zero_grad()
      optimizer.zeroGrad();
      //         outputs = quantized_model(inputs)
      const outputs = trained.forward(inputs);
      //         loss = criterion(outputs, labels)
      const loss = criterion(outputs, labels);
      //         loss.backward()
      loss.backward();
      //         optimizer.step()
      optimizer.step();
      sum += loss.item();
    }
    report(epoch, sum / loader.length);
  }
}

// model.eval(); quantized_model.eval()
// with torch.no_grad():
//     for inputs, labels in test_loader:
//         outputs = quantized_model(inputs)
//         _, predicted = torch.max(outputs, 1)
//         correct += (predicted == labels).sum().item()
quantizedModel.eval();
const test = Array.from(testLoader, ([input, labels]) => ({ feeds: { input }, labels }));
const reference = await load(makersModel.graph());
const models = {
  float: reference,
  quantized: await load(untuned),
  // Deployed: what save gives is a file, and a device needs octette/runtime only to load it.
  "quantized, fine-tuned": await loadOnDevice(save(quantizedModel.graph())),
};
const rows = [];
for (const [name, tested] of Object.entries(models)) {
  const { top1, agreement } = await evaluate(tested, test, { against: reference });
  rows.push([name, formatPercent(top1, 1), formatPercent(agreement, 1)]);
}
console.log(formatTable(["model", "accuracy", "agrees with float"], rows));

function report(epoch, loss) {
  console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}`);
}

/** Readings and the class of each, by the sensors of the device or by new ones. */
function samplesOf(count, isWorn) {
  const labels = Int32Array.from({ length: count }, () => Math.floor(random() * 10));
  const inputs = new Float32Array(count * 10);
  for (const [i, label] of labels.entries())
    for (const [j, { gain, offset }] of wear.entries()) {
      const reading = centres[label][j] + between(-0.9, 0.9);
      inputs[i * 10 + j] = isWorn ? gain * reading + offset : reading;
    }
  return { inputs: tensor("f32", [count, 10], inputs), labels };
}

/** Numbers from 0 to below 1 (xorshift32, Marsaglia 2003). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) / 2 ** 24;
  };
}

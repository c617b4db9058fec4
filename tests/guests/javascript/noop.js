// Does nothing, unless the payload is `"count"` or `"raise"`: says which of its sandbox's runs this is, or fails unawares.

let runs = 0;

export const handler = {
  kind: () => 'NOOP_JS',
  provides: () => [],
  defaults: () => '',
  dispatch: (task) => true,

  handle(task) {
    runs += 1;
    switch (task.payload) {
      case '"count"':
        return complete(String(runs));
      case '"raise"':
        throw new TypeError('nobody catches this');
      default:
        return complete('null');
    }
  },
};

function complete(result) {
  return { tag: 'complete', val: { result, metadata: '', then: [] } };
}

// Greets whoever the payload names.

import { log } from 'bulkhead:handler/context@0.1.0';

export const handler = {
  kind: () => 'GREET_JS',
  provides: () => ['cpu'],
  defaults: () => JSON.stringify({ timeout: '5s' }),
  dispatch: (task) => true,

  handle(task) {
    try {
      return complete(greet(JSON.parse(task.payload)));
    } catch (error) {
      if (error instanceof Failure) throw error;
      // Nobody expected it: to be tried again. What leaves `handle` as anything but a failure is a trap.
      throw new Failure('handler', 'handler_error', `${error}\n${error.stack}`, true);
    }
  },
};

function greet({ name }) {
  if (!name) throw new Failure('validation', 'NO_NAME', 'the payload has no `name`');
  log('info', 'greeting', JSON.stringify({ name }));
  return { text: `Hello, ${name}!` };
}

function complete(result) {
  return { tag: 'complete', val: { result: JSON.stringify(result), metadata: '', then: [] } };
}

class Failure extends Error {
  constructor(category, code, message, retryable = false) {
    super(message);
    this.payload = { category, code, message, retryable, retryAfterMs: undefined, details: '' };
  }
}

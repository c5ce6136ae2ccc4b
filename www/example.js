/** The smallest use of mner.js: the first installed model, a text field, the answer as JSON. */
import { Recognizer } from './mner.js';

const tweet = document.getElementById('tweet');
const answer = document.getElementById('answer');

try {
  const [model] = await (await fetch('models/index.json')).json();
  if (!model) throw new Error('No model is installed in models/.');
  const mner = await Recognizer.load(`models/${model}/`, {
    onProgress: ({ loaded, total }) => (answer.textContent = `${loaded} of ${total} bytes`),
  });
  answer.textContent = 'Ready';
  tweet.oninput = async () => {
    const { entities } = await mner.recognize({ text: tweet.value });
    answer.textContent = JSON.stringify(entities, null, 2);
  };
} catch (error) {
  answer.textContent = error.message;
}

/** The smallest use of mner.js: the first installed model, a tweet and an image, the answer as JSON. */
import { Recognizer } from './mner.js';

import { byId } from './dom.js';
const tweet = byId(HTMLInputElement, 'tweet');
const image = byId(HTMLInputElement, 'image');
const answer = document.getElementById('answer');

try {
  const [model] = await (await fetch('models/index.json')).json();
  if (!model) throw new Error('No model is installed in models/.');
  const mner = await Recognizer.load(`models/${model}/`, {
    onProgress: ({ loaded, total }) => (answer.textContent = `${loaded} of ${total} bytes`),
  });
  answer.textContent = 'Ready';
  tweet.oninput = image.onchange = async () => {
    const recognition = await mner.recognize({ text: tweet.value, image: image.files[0] }).catch((error) => error.message);
    answer.textContent = JSON.stringify(recognition, null, 2);
  };
} catch (error) {
  answer.textContent = error.message;
}

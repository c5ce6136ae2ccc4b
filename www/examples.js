/** Tweets with images to try. The tweets are invented; the images are drawn for this project (CC0). */

/** @type {{name: import('./wording.js').Key, alt: import('./wording.js').Key, image: string, text: string}[]} */
export const EXAMPLES = [
  {
    name: 'example.rocket',
    alt: 'example.rocket.alt',
    image: 'examples/rocket.webp',
    text: 'RT @nasa: 👩🏽‍🚀 Sunita Williams waves from Houston as #Boeing and ULA leave Cape Canaveral 🇺🇸',
  },
  {
    name: 'example.football',
    alt: 'example.football.alt',
    image: 'examples/football.webp',
    text: 'What a night at Anfield! Salah twice, Liverpool through, and Madrid go home with nothing 😅 #UCL',
  },
  {
    name: 'example.concert',
    alt: 'example.concert.alt',
    image: 'examples/concert.webp',
    text: 'Just heard Björk play the Royal Albert Hall… “Jóga” live with strings. I’m not ok. @BBCRadio3 please tell me you recorded this',
  },
  {
    name: 'example.podium',
    alt: 'example.podium.alt',
    image: 'examples/podium.webp',
    text: 'Breaking: the European Central Bank keeps rates where they are. Christine Lagarde speaks in Frankfurt at 14:30 https://t.co/x1',
  },
  {
    name: 'example.basketball',
    alt: 'example.basketball.alt',
    image: 'examples/basketball.webp',
    text: 'Jordan was something else last night',
  },
  {
    name: 'example.desert',
    alt: 'example.desert.alt',
    image: 'examples/desert.webp',
    text: 'Jordan was something else last night',
  },
];

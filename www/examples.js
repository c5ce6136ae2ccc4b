/** Tweets with pictures to try. The tweets are invented; the pictures are drawn for this project (CC0). */
export const EXAMPLES = [
  {
    title: 'Lift-off',
    text: 'RT @nasa: 👩🏽‍🚀 Sunita Williams waves from Houston as #Boeing and ULA leave Cape Canaveral 🇺🇸',
    image: 'examples/rocket.webp',
    alt: 'Drawing: a rocket rising on a column of fire over a coast at dusk',
  },
  {
    title: 'Football',
    text: 'What a night at Anfield! Salah twice, Liverpool through, and Madrid go home with nothing 😅 #UCL',
    image: 'examples/football.webp',
    alt: 'Drawing: a player in red strikes a ball towards a goal under floodlights',
  },
  {
    title: 'Concert',
    text: 'Just heard Björk play the Royal Albert Hall… “Jóga” live with strings. I’m not ok. @BBCRadio3 please tell me you recorded this',
    image: 'examples/concert.webp',
    alt: 'Drawing: a singer at a microphone in coloured stage light before a crowd',
  },
  {
    title: 'News',
    text: 'Breaking: the European Central Bank keeps rates where they are. Christine Lagarde speaks in Frankfurt at 14:30 https://t.co/x1',
    image: 'examples/podium.webp',
    alt: 'Drawing: a woman speaks at a lectern with microphones, flags behind her',
  },
  {
    title: 'Jordan?',
    text: 'Jordan was something else last night',
    image: 'examples/basketball.webp',
    alt: 'Drawing: a basketball player leaps towards the basket',
  },
  {
    title: 'Or Jordan?',
    text: 'Jordan was something else last night',
    image: 'examples/desert.webp',
    alt: 'Drawing: a temple cut into red rock in a desert, under a blue sky',
  },
];

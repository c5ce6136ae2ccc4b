/** Tweets to try. All of them are invented. */
export const EXAMPLES = [
  {
    title: 'Space',
    text: 'RT @nasa: 👩🏽‍🚀 Sunita Williams is back in Houston 🇺🇸 with #Boeing',
  },
  {
    title: 'Football',
    text: 'What a night at Anfield! Salah twice, Liverpool through, and Madrid go home with nothing 😅 #UCL',
  },
  {
    title: 'Music',
    text: 'Just heard Björk play the Royal Albert Hall… “Jóga” live with strings. I’m not ok. @BBCRadio3 please tell me you recorded this',
  },
  {
    title: 'Which Jordan?',
    text: 'Jordan dropped 40 on the Knicks while I was stuck in Jordan without wifi. Nike still won’t let me forget it',
  },
  {
    title: 'News',
    text: 'Breaking: the European Central Bank keeps rates where they are. Christine Lagarde speaks in Frankfurt at 14:30 https://t.co/x1',
  },
];

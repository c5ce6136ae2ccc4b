/* Opened as a file, the page gets none of its modules: this script, which is no module, says what to do. */
if (location.protocol === 'file:') {
  const code = (words) => Object.assign(document.createElement('code'), { textContent: words });
  const [build, python] = [() => code('./build.sh serve'), () => code('python3 -m http.server')];
  const said = {
    en: [
      'This page was opened as a file, and so the browser lets it load nothing. Serve it: run ', build(), ' in the project, or ', python(),
      ' in the folder of this page, and open the address that it prints.',
    ],
    de: [
      'Diese Seite wurde als Datei geöffnet; darum lässt der Browser sie nichts laden. Stellen Sie sie über einen Server bereit: Starten Sie ',
      build(), ' im Projekt oder ', python(), ' im Ordner dieser Seite und öffnen Sie die Adresse, die dort ausgegeben wird.',
    ],
    es: [
      'Esta página se abrió como archivo y por eso el navegador no le permite cargar nada. Sírvala desde un servidor: ejecute ', build(),
      ' en el proyecto o ', python(), ' en la carpeta de esta página, y abra la dirección que aparece.',
    ],
  };
  const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => Object.hasOwn(said, tag)) ?? 'en';
  const notice = document.getElementById('notice') ?? document.getElementById('answer');
  notice.lang = language;
  notice.replaceChildren(...said[language]);
  notice.hidden = false;
  // Nothing else on the page has its words.
  document.querySelector('header p')?.remove();
  for (const id of ['composer', 'language']) document.getElementById(id)?.closest('main, .settings').setAttribute('hidden', '');
  document.querySelector('footer')?.setAttribute('hidden', '');
}

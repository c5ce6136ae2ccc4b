/* Opened as a file, the page gets none of its modules: this script, which is no module, says what to do. */
if (location.protocol === 'file:') {
  const notice = document.querySelector('#notice, #answer');
  const code = (words) => Object.assign(document.createElement('code'), { textContent: words });
  notice.replaceChildren(
    'This page was opened as a file, and so the browser lets it load nothing. Serve it: run ',
    code('./build.sh serve'),
    ' in the project, or ',
    code('python3 -m http.server'),
    ' in the folder of this page, and open the address that it prints.',
  );
  notice.hidden = false;
  const composer = document.getElementById('composer');
  if (composer) composer.parentElement.hidden = true;
}

// Passkeys: a form with data-passkey asks the browser for one (get), or to make one (create), and sends what it says.
// The options stand in the page (data-options names their element), or are asked for at the form's address.

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !able && form.hasAttribute("data-optional");
  const words = form.querySelector("[data-passkey-words]");
  if (!able) say(words, form.dataset.unable);
  form.addEventListener("submit", event => {
    event.preventDefault();
    if (able) run(form, words);
  });
}

async function run(form, words) {
  const button = form.querySelector("button");
  button.disabled = true;
  words.hidden = true;
  try {
    const options = await optionsOf(form);
    const credential = form.dataset.passkey === "create" ? await create(options) : await get(options);
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (error) {
    // NotAllowedError: she has changed her mind, or took too long. The browser tells no more, so that no page learns
    // which passkeys there are. InvalidStateError: this device has one for her already.
    say(words, error.name === "InvalidStateError" ? form.dataset.twice ?? form.dataset.failed : form.dataset.failed);
    button.disabled = false;
    button.focus();
  }
}

async function optionsOf(form) {
  const element = document.getElementById(form.dataset.options ?? "");
  if (element) return Object.values(JSON.parse(element.textContent))[0].publicKey;
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (await answer.json()).request_options.publicKey;
}

function get(options) {
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function create(options) {
  // One that is found without a name and asks who she is can sign in alone.
  options.authenticatorSelection = {
    ...options.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required",
  };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

function say(element, text) {
  element.textContent = text;
  element.hidden = false;
}

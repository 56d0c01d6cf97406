const message = document.querySelector('[role=status]');

const post = (url, body) => fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body), // a credential has a toJSON()
});

async function challenge(url) {
  const response = await post(url);
  if (!response.ok) throw new Error(await response.text() || 'Please log in again.');
  return (await response.json()).publicKey;
}

const ceremonies = {
  async add() {
    const options = await challenge('/passkeys/challenge');
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return post('/passkeys', await navigator.credentials.create({ publicKey }));
  },
  async login() {
    const options = await challenge('/login/passkey/challenge');
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    // The query has the page that the visitor requested.
    return post('/login/passkey' + location.search, await navigator.credentials.get({ publicKey }));
  },
};

for (const button of document.querySelectorAll('[data-passkey]')) {
  button.addEventListener('click', async () => {
    message.textContent = '';
    try {
      const response = await ceremonies[button.dataset.passkey]();
      if (response.ok) location.assign(await response.json());
      else message.textContent = await response.text() || 'Please log in again.';
    } catch (error) { // the visitor has cancelled, or the device has no fitting passkey
      message.textContent = error.message;
    }
  });
}

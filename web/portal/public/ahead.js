// Asks for what every first page needs while the program itself is still on its way (src/frame/ahead.ts).
window.patronAhead = { program: fetch('/portal/v1/program'), me: fetch('/portal/v1/me') };

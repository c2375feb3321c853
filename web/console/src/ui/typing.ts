/** Whether somebody is in a field of a dialog already: who types while it opens must not be led elsewhere. */
export const typing = () => document.activeElement?.matches('[role=dialog] :is(input, textarea)') ?? false;

// The script of language models that lies beside the page.

export { loadLanguageModel } from "../../text/index";

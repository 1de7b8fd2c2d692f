// Streamlit's entry to the film player; another film, another player.

import { keeping } from "../kit/component.js";
import { FilmPlayer } from "./player.js";

export default keeping((element, data) => new FilmPlayer(element, data), (data) => data.filmUrl);

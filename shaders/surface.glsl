// A triangle mesh, lit from the camera.
#ifdef VERTEX
in vec3 position;
in vec4 normal;
in vec4 color;
uniform mat4 clip_from_scene;
uniform bool colored;
out vec3 place;
out vec3 outward;
out vec3 tint;

void main() {
    gl_Position = clip_from_scene * vec4(position, 1.0);
    place = position;
    outward = normal.xyz * 2.0 - 1.0;
    tint = colored ? color.rgb : vec3(0.80, 0.79, 0.77);
}
#else
in vec3 place;
in vec3 outward;
in vec3 tint;
uniform vec3 eye;
uniform float flat_color;  // negative: lit; else this brightness
uniform bool colored;
out vec4 color;

void main() {
    if (flat_color >= 0.0) {
        color = vec4(vec3(flat_color) * vec3(1.0, 1.03, 1.1), 1.0);
        return;
    }
    float facing = abs(dot(normalize(outward), normalize(eye - place)));
    float light = colored ? 0.75 + 0.25 * facing : 0.16 + 0.84 * facing;
    color = vec4(tint * light, 1.0);
}
#endif
